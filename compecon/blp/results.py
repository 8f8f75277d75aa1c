"""What an estimation returns."""

from dataclasses import dataclass, field

import numpy as np

from compecon.blp import tables
from compecon.blp.bootstrap import BootstrapMethods
from compecon.blp.demand_system import Demand
from compecon.blp.diagnostics import moment_diagnostics
from compecon.blp.gauss_newton import projected_gradient
from compecon.blp.micro_data import MicroMethods
from compecon.blp.optimal_instruments import OptimalInstrumentMethods
from compecon.blp.parameters import Parameters
from compecon.blp.post_estimation import PostEstimation
from compecon.blp.printed import Printed
from compecon.blp.saving import ResultsArrays


@dataclass(frozen=True, eq=False, repr=False)
class ProblemResults(
    Printed, PostEstimation, MicroMethods, OptimalInstrumentMethods, BootstrapMethods, ResultsArrays
):  # fmt: skip
    """Estimates, their standard errors, and how they were found; arrays have pyblp's names and shapes.

    Attributes
    ----------
    theta : (P,) estimates of what is not zero or fixed in Sigma and Pi, in the order of `theta_labels`
    sigma, pi, beta : (K2, K2), (K2, D), (K1, 1); `sigma_se`, `pi_se`, `beta_se` alike
    delta, xi : (N, 1), rows as in product_data; `xi` is the residual after absorbing
    objective : float, q = N g'W g; gradient : (P, 1); hessian : (P, P)
    moments, moments_jacobian : (M, 1), (M, P + K1), g and its derivatives
    W, updated_W : (M, M), the weighting matrix used, and the inverse of `moments_covariances` under W_type
    parameter_covariances : (P + K1, P + K1) V; standard errors are sqrt(diag(V) / N)
    converged : bool, the optimizer met its tolerance and every inner fixed point did
    fp_converged : (T, 1) bool, at the estimates
    last_results : ProblemResults of the step before, or None
    """

    problem: object
    parameters_: Parameters
    step: int
    theta: np.ndarray
    sigma: np.ndarray
    pi: np.ndarray
    beta: np.ndarray
    sigma_se: np.ndarray
    pi_se: np.ndarray
    beta_se: np.ndarray
    delta: np.ndarray
    xi: np.ndarray
    xi_by_theta_jacobian: np.ndarray
    objective: float
    gradient: np.ndarray
    hessian: np.ndarray
    moments: np.ndarray
    moments_jacobian: np.ndarray
    moments_covariances: np.ndarray
    parameter_covariances: np.ndarray
    W: np.ndarray
    updated_W: np.ndarray
    micro: np.ndarray
    micro_values: np.ndarray
    micro_covariances: np.ndarray
    micro_moments: tuple
    se_type: str
    optimizer_converged: bool
    optimization_iterations: int
    objective_evaluations: int
    contraction_evaluations: np.ndarray
    fp_converged: np.ndarray
    last_results: "ProblemResults | None" = field(default=None)

    @property
    def converged(self):
        """True when the optimizer met its tolerance and every market's fixed point its own."""
        return bool(self.optimizer_converged and self.fp_converged.all())

    @property
    def theta_labels(self):
        """List of str: 'row x column' for each element of theta."""
        return list(self.parameters_.labels)

    @property
    def beta_labels(self):
        """List of str, one for each element of beta."""
        return list(self.problem.x1_names)

    @property
    def parameters(self):
        """(P + K1, 1) theta, then beta."""
        return np.concatenate([self.theta, self.beta[:, 0]])[:, None]

    @property
    def sigma_squared(self):
        """(K2, K2) Sigma Sigma', the covariance of the random tastes."""
        return self.sigma @ self.sigma.T

    @property
    def clipped_shares(self):
        """(N, 1) bool, all False: this library never clips a share. pyblp's table has the column."""
        return np.zeros(self.delta.shape, bool)

    @property
    def xi_fe(self):
        """(N, 1) the part of delta that the absorbed fixed effects explain."""
        fitted = np.sum(self.problem.sorted_products.X1 * self.beta[:, 0], axis=1)
        return self.delta - self.problem.to_file_order(fitted)[:, None] - self.xi if self.problem.ED else 0 * self.xi

    @property
    def projected_gradient_norm(self):
        """Largest element of the gradient, where descent stops at the bounds."""
        bounds = self.parameters_.lower, self.parameters_.upper
        return float(np.abs(projected_gradient(self.gradient[:, 0], self.theta, *bounds)).max(initial=0.0))

    @property
    def reduced_hessian_eigenvalues(self):
        """Eigenvalues, in ascending order, of the Hessian over the parameters that stand at no bound."""
        inside = self.inside_bounds
        return np.linalg.eigvalsh(self.hessian[np.ix_(inside, inside)])

    @property
    def inside_bounds(self):
        """(P,) bool, which elements of theta stand at no bound."""
        return (self.theta > self.parameters_.lower) & (self.theta < self.parameters_.upper)

    def run_hansen_test(self):
        """Hansen's J = q = N g'W g; chi-squared, M - P - K1 degrees of freedom, when W is efficient (method='2s')."""
        return float(self.objective)

    moment_diagnostics = moment_diagnostics

    def demand(self):
        """The demand system at the estimates."""
        products = self.problem.sorted_products
        delta = self.problem.to_market_order(self.delta)[:, 0]
        return Demand(self.problem, self.sigma, self.pi, self.beta[:, 0], delta, products.prices, products.shares)

    def _demands(self):
        return [self.demand()]

    _stacked = False

    def tables(self):
        """Tuple of Tables: summary, cumulative statistics, estimates, micro moments; each has to_latex and to_csv."""
        x1, x2, d = self.problem.x1_names, self.problem.x2_names, self.problem.demographic_names
        clusters = self.problem.sorted_products.clustering_ids
        clusters = np.unique(clusters).size if self.se_type == "clustered" else None
        shown = [tables.summary_table("Problem Results Summary", self._summary())]
        shown.append(tables.summary_table("Cumulative Statistics", self._statistics()))
        if x2:
            free = np.zeros((len(x2), len(x2) + len(d)), bool)
            free[self.parameters_.rows, self.parameters_.columns] = True
            pair = (self.sigma, self.pi, self.sigma_se, self.pi_se)
            shown.append(tables.nonlinear_table(*pair, x2, d, self.se_type, clusters, free))
        shown.append(tables.beta_table(self.beta, self.beta_se, x1, self.se_type, clusters))
        if self.micro_moments:
            parts = [
                [(p.name, p.dataset.name, p.dataset.observations, p.dataset.n_markets) for p in m.parts]
                for m in self.micro_moments
            ]
            values = zip(self.micro_moments, self.micro_values[:, 0], parts, strict=True)
            rows = [(m.value, value, m.name, of) for m, value, of in values]
            shown.append(tables.micro_table(rows))
        return tuple(shown)

    def _summary(self):
        eigenvalues = self.reduced_hessian_eigenvalues if self.theta.size else np.empty(0)
        bounded = self.parameters_.bounded
        several = eigenvalues.size > 1
        kind = "Reduced Hessian" if bounded else "Hessian"
        gradient = "Projected\nGradient Norm" if bounded else "Gradient\nNorm"
        return {
            "GMM\nStep": self.step,
            "Objective\nValue": self.objective,
            gradient: self.projected_gradient_norm if self.theta.size else None,
            f"{kind}\nMin Eigenvalue": eigenvalues[0] if several else None,
            f"{kind}\nMax Eigenvalue": eigenvalues[-1] if several else None,
            kind: eigenvalues[0] if eigenvalues.size == 1 else None,
            "Clipped\nShares": int(self.clipped_shares.sum()),
            "Weighting Matrix\nCondition Number": np.linalg.cond(self.W),
            "Covariance Matrix\nCondition Number": _condition(self.parameter_covariances),
        }

    def _statistics(self):
        searched = self.theta.size > 0
        steps, sweeps, evaluations, iterations = self, 0, 0, 0
        while steps is not None:
            sweeps += int(steps.contraction_evaluations.sum())
            evaluations += steps.objective_evaluations
            iterations += steps.optimization_iterations
            steps = steps.last_results
        return {
            "Optimizer\nConverged": bool(self.optimizer_converged) if searched else None,
            "Optimization\nIterations": iterations if searched else None,
            "Objective\nEvaluations": evaluations,
            "Contraction\nEvaluations": sweeps if self.problem.K2 else None,
            "Fixed Points\nFailed": int((~self.fp_converged).sum()) if self.problem.K2 else None,
        }

    def __repr__(self):
        failed = "" if self.converged else "NOT CONVERGED: see Cumulative Statistics.\n\n"
        return failed + super().__repr__()

    def _repr_html_(self):
        failed = "" if self.converged else "<p><strong>Not converged</strong>: see Cumulative Statistics.</p>"
        return failed + super()._repr_html_()

    def _tables(self):
        return self.tables()


def _condition(matrix):
    return float(np.linalg.cond(matrix)) if matrix.size > 1 and np.isfinite(matrix).all() else None
