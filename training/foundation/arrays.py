"""The kinds of numpy array that training works on; a docstring gives each one's shape."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Pictures, crops, and what is read of files.
ByteImage = npt.NDArray[np.uint8]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
#: Embeddings and their similarities, in the numbers that networks give.
Matrix = npt.NDArray[np.float32]
Similarities = Matrix | FloatArray
