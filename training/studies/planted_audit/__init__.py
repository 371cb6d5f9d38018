"""What an audit finds of faults planted among real people."""
