"""What a gallery says about itself: rates, confusable pairs, outliers, advice."""
