"""The only cv2 and Pillow code of the service: decoding, detection, alignment, quality."""
