"""The only cv2 code of the service: decoding, detection, alignment, quality."""
