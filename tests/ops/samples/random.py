"""Samples of what is drawn. Their values are looked at in the family's own tests."""

from __future__ import annotations

import numpy as np

import dualgraph as dg
from dualgraph.ops.random import keep_mask
from tests.ops.samples.base import Arr, Sample

CHANCE = Arr((4, 3), low=0.0, high=1.0)
RATE = Arr((5,), low=0.5, high=40.0)

SAMPLES: dict[str, list[Sample]] = {
    "rand": [
        Sample(lambda: dg.rand([3, 4]), (), grad=False),
        Sample(lambda: dg.rand([], "float64"), (), grad=False),
        Sample(dg.rand_like, (Arr((2, 0)),), grad=False),
    ],
    "uniform": [
        Sample(lambda: dg.uniform([40], min=-2.0, max=5.0), (), grad=False),
        Sample(lambda: dg.uniform([4], "float64", seed=3), (), grad=False),
    ],
    "randn": [
        Sample(lambda: dg.randn([3, 5]), (), grad=False),
        Sample(lambda: dg.normal(1.0, 2.0, [7]), (), grad=False),
        Sample(dg.randn_like, (Arr((3,)),), grad=False),
    ],
    "randint": [
        Sample(lambda: dg.randint(-3, 9, [20]), (), grad=False),
        Sample(lambda: dg.randint(5, shape=[3], dtype="int32"), (), grad=False),
        Sample(lambda x: dg.randint_like(x, 5), (Arr((3,)),), grad=False),
    ],
    "randperm": [
        Sample(lambda: dg.randperm(30), (), grad=False),
        Sample(lambda: dg.randperm(5, "int32"), (), grad=False),
    ],
    "keep_mask": [Sample(lambda: keep_mask((3, 4), 0.3), (), grad=False)],
    "bernoulli": [
        Sample(dg.bernoulli, (CHANCE,), grad=False, special=False),
        Sample(lambda x: dg.bernoulli(x, 0.25), (CHANCE,), grad=False),
    ],
    "weights": [
        Sample(lambda x: dg.multinomial(x, 3), (CHANCE,), grad=False, special=False),
        Sample(lambda x: dg.multinomial(x, 9, True), (CHANCE,), grad=False, special=False),
    ],
    "poisson": [Sample(dg.poisson, (RATE,), grad=False, special=False)],
    "standard_gamma": [Sample(dg.standard_gamma, (RATE,), grad=False, special=False)],
    "binomial": [
        Sample(
            lambda x: dg.binomial(dg.to_tensor(np.array(9)), x),
            (CHANCE,),
            grad=False,
            special=False,
        ),
    ],
}
