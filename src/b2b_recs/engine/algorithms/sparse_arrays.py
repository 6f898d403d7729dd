"""Sparse matrices as plain arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def sparse_to_arrays(name: str, matrix: Any) -> dict[str, npt.NDArray[Any]]:
    """``{name}/data`` float32, ``{name}/indices`` int32, ``{name}/indptr`` int64, ``{name}/shape`` int64 (2,)."""
    return {
        f"{name}/data": matrix.data.astype(np.float32),
        f"{name}/indices": matrix.indices.astype(np.int32),
        f"{name}/indptr": matrix.indptr.astype(np.int64),
        f"{name}/shape": np.array(matrix.shape, dtype=np.int64),
    }


def sparse_from_arrays(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Any:
    """The CSR matrix again, checked; ValueError when the arrays are not one. Arrays may be read-only."""
    from scipy import sparse

    indices, indptr = arrays[f"{name}/indices"], arrays[f"{name}/indptr"]
    rows, columns = (int(size) for size in arrays[f"{name}/shape"])
    if len(indices) and not (int(indices.min()) >= 0 and int(indices.max()) < columns):
        raise ValueError(f"matrix {name!r} points outside its columns")
    matrix = sparse.csr_matrix((rows, columns), dtype=np.float32)
    matrix.data, matrix.indices = np.asarray(arrays[f"{name}/data"]), np.asarray(indices)
    matrix.indptr = np.asarray(indptr).astype(np.int32) if len(indices) < 2**31 else np.asarray(indptr)
    matrix.check_format(full_check=True)
    return matrix
