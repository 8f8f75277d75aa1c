"""What the tests of `compecon.likelihood` share: models with known maxima, one that is not identified, a kernel."""

from dataclasses import dataclass

import numpy as np

from compecon.likelihood import examples, fit, kernels

METHODS = ("bhhh", "newton", "bfgs", "bhhh-bfgs")
RNG = np.random.default_rng(0)
X = np.column_stack([np.ones(400), RNG.normal(size=400), RNG.integers(0, 2, 400)])
Y = (RNG.uniform(size=400) < 1 / (1 + np.exp(-X @ [0.3, -0.8, 0.5]))).astype(float)
MODELS = {
    "normal": (examples.Normal(RNG.normal(2.0, 3.0, 300)), [0.0, 1.0]),
    "normal far off": (examples.Normal(RNG.normal(2.0, 3.0, 300)), [30.0, 40.0]),
    "geometric": (examples.Geometric(RNG.geometric(0.3, 300) - 1), [0.9]),
    "poisson": (examples.Poisson(RNG.poisson(4.0, 300)), [0.5]),
    "weighted poisson": (examples.Poisson([0, 1, 2, 5], weights=[10, 20, 30, 4]), [20.0]),
    # Log odds -1 and 3 between the two rows: three parameters would not be identified, two are.
    "logit": (
        examples.BinaryLogit([0, 1, 0, 1], [[1, 0], [1, 0], [1, 1], [1, 1]], weights=[30, 10, 5, 40]),
        [0.0, 0.0],
    ),
}


@dataclass(frozen=True, eq=False)
class OnlyTheSum:
    """A Poisson model whose mean is a + b: a and b are not identified."""

    poisson: examples.Poisson
    param_names = ("a", "b")
    cluster_counts = None

    @property
    def weights(self):
        return self.poisson.weights

    def loglike(self, theta):
        logl, scores = self.poisson.loglike([np.sum(theta)])
        return logl, np.repeat(scores, 2, axis=1)

    def hessian_obs(self, theta):
        return np.broadcast_to(self.poisson.hessian_obs([np.sum(theta)]), (self.poisson.y.size, 2, 2))


def clustered_logit():
    """A logit with 40 clusters of 10 and its estimate."""
    model = examples.BinaryLogit(Y, X, names=["constant", "income", "urban"], clusters=np.repeat(np.arange(40), 10))
    return model, fit(model, [0.0, 0.0, 0.0])


def bfgs_update(matrix, move, change):
    """The kernel, with its output and workspace."""
    updated = np.empty_like(matrix)
    kernels.bfgs_update(matrix, move, change, np.empty(move.size), updated)
    return updated
