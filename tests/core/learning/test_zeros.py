from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.errors import Invalid
from core.learning.learners.zeros import FILLED, SHAPE, VALUES, with_zeros, without_zeros

MOST = 10_000_000
sparse = arrays(np.float32, array_shapes(max_dims=3, max_side=9), elements=st.sampled_from([0.0, 0.0, 1.5, -2.0]))


@given(sparse, st.sampled_from([np.float32, np.float64]))
def test_an_array_comes_back_with_its_zeros(array: Any, dtype: Any) -> None:
    state = {"classes": ["a"], "parts": [{"weights": array.astype(dtype)}], "scale": 0.0}
    again = with_zeros(without_zeros(state), MOST)
    np.testing.assert_equal(again, state)
    assert again["parts"][0]["weights"].dtype == dtype


def test_an_array_with_many_zeros_is_stored_without_them() -> None:
    array = np.zeros((100, 80), dtype=np.float32)
    array[::4] = 3
    stored = without_zeros({"weights": array})["weights"]
    assert (len(stored[FILLED]), len(stored[VALUES]), stored[SHAPE]) == (1_000, 2_000, [100, 80])


@pytest.mark.parametrize(
    "array",
    [np.ones(8), np.array([0.0, 1, 1, 1]), np.zeros(8, dtype=np.int64), np.array(0.0), np.empty((0, 3))],
    ids=repr,
)
def test_other_arrays_are_stored_as_they_are(array: Any) -> None:
    assert without_zeros([array])[0] is array


@pytest.mark.parametrize(
    "changed",
    [
        {SHAPE: [3, 9]},
        {SHAPE: [-4, -4]},
        {SHAPE: ["x"]},
        {FILLED: np.zeros(2, np.uint8)},
        {VALUES: np.ones(3)},
        {FILLED: None},
    ],
    ids=repr,
)
def test_parts_that_do_not_fit_each_other_are_refused(changed: dict[str, Any]) -> None:
    stored = without_zeros(np.array([1.0, 0, 0, 2] * 4).reshape(4, 4))
    with pytest.raises((ValueError, TypeError)):
        with_zeros(stored | changed, MOST)


def test_the_bound_is_of_all_arrays_together() -> None:
    state = without_zeros([np.zeros(1_000), np.zeros(1_000)])
    assert len(with_zeros(state, 16_000)) == 2
    with pytest.raises(Invalid, match=r"unpack to over 15,999 bytes"):
        with_zeros(state, 15_999)
