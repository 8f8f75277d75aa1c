"""The calls of the field's post-estimation tutorial, made with whichever library is passed: compecon.blp or pyblp.

theta is not searched for but set to the polished estimates (gradient below 2e-10, found with pyblp 1.3.0), so that both
libraries stand at the same point; two searches that stop at a gradient of 1e-5 may differ by 4e-4 in a flat direction.
"""

import numpy as np
import pandas as pd

SIGMA_PLACES = ((0, 0), (1, 1), (2, 2), (3, 3))
PI_PLACES = ((0, 0), (0, 2), (1, 0), (1, 1), (1, 3), (2, 0), (2, 2), (3, 0), (3, 2))
# One row a solve: original instruments, optimal instruments, and these with micro moments.
THETA = (
    (0.5580935703981281, 3.3124889094853236, -0.005783552014756944, 0.09341446996550538, 2.2919715881497615,
     1.2844320215031406, 588.3251148678878, -30.192014141771466, 11.054628152976711, -0.3849540843895703,
     0.0522342734108877, 0.7483722702685469, -1.3533932410986145),
    (0.21427621152113238, 3.002222399667996, 0.026800344232718966, 0.2987767702732941, 6.046795902441777,
     0.1611039936794649, 98.39880322427126, -5.559217740582824, 4.106958440743925, -0.3127471580458565,
     0.04913455197141268, 0.967644807836161, -0.5362398544068601),
    (0.45761179668637747, 3.0910550444803344, 0.019997685748979786, -0.06583125877084826, 4.761773303221613,
     0.6537388611210342, 472.5522420923999, -24.87993165766706, 3.189903990512127, -0.4047534460678041,
     0.04583708684301953, 1.0863719396780882, -1.1008006712670457),
)  # fmt: skip


def starting_values(theta):
    """Sigma and Pi as 4 x 4 matrices."""
    sigma, pi = np.zeros((4, 4)), np.zeros((4, 4))
    for value, place in zip(theta[:4], SIGMA_PLACES, strict=True):
        sigma[place] = value
    for value, place in zip(theta[4:], PI_PLACES, strict=True):
        pi[place] = value
    return sigma, pi


def cereal_problem(blp):
    """Nevo's problem, and its two tables."""
    products, agents = (pd.read_csv(path) for path in (blp.data.NEVO_PRODUCTS_LOCATION, blp.data.NEVO_AGENTS_LOCATION))
    formulations = (
        blp.Formulation("0 + prices", absorb="C(product_ids)"),
        blp.Formulation("1 + prices + sugar + mushy"),
    )
    demographics = blp.Formulation("0 + income + income_squared + age + child")
    return blp.Problem(formulations, products, demographics, agents), products, agents


def stand_at(blp, problem, theta, **options):
    """Results at theta, without a search; unbounded, as pyblp's 'return' is not by itself."""
    bounds = (np.full((4, 4), -np.inf), np.full((4, 4), np.inf))
    stay = blp.Optimization("return")
    return problem.solve(*starting_values(theta), method="1s", optimization=stay, sigma_bounds=bounds, **options)


ESTIMATES = (
    "theta", "sigma", "pi", "beta", "sigma_se", "pi_se", "beta_se", "delta", "xi", "xi_fe", "xi_by_theta_jacobian",
    "objective", "gradient", "moments", "moments_jacobian", "moments_covariances", "parameters",
    "parameter_covariances", "W", "updated_W", "sigma_squared", "micro", "micro_values", "micro_covariances",
)  # fmt: skip


def estimates(results, label):
    """{name: array} of what an estimation holds."""
    return {f"{label}.{name}": np.asarray(getattr(results, name)) for name in ESTIMATES}


def before_the_merger(results, firm_ids):
    """Elasticities to consumer surpluses, and the two kinds of merged prices."""
    arrays = {
        "elasticities": results.compute_elasticities(),
        "sugar_elasticities": results.compute_elasticities(name="sugar"),
        "diversions": results.compute_diversion_ratios(),
        "long_run_diversions": results.compute_long_run_diversion_ratios(),
        "jacobians": results.compute_demand_jacobians(),
        "aggregates": results.compute_aggregate_elasticities(factor=0.1),
        "costs": results.compute_costs(),
        "hhi": results.compute_hhi(),
        "surpluses": results.compute_consumer_surpluses(),
    }
    arrays["own"] = results.extract_diagonals(arrays["elasticities"])
    arrays["means"] = results.extract_diagonal_means(arrays["elasticities"])
    arrays["markups"] = results.compute_markups(costs=arrays["costs"])
    arrays["profits"] = results.compute_profits(costs=arrays["costs"])
    arrays["approximate_prices"] = results.compute_approximate_prices(firm_ids=firm_ids, costs=arrays["costs"])
    arrays["merged_prices"] = results.compute_prices(firm_ids=firm_ids, costs=arrays["costs"])
    return arrays


def after_the_merger(results, firm_ids, arrays):
    """Shares, HHI, markups, profits and surpluses at the merged prices."""
    prices, costs = arrays["merged_prices"], arrays["costs"]
    shares = results.compute_shares(prices)
    return {
        "merged_shares": shares,
        "merged_hhi": results.compute_hhi(firm_ids=firm_ids, shares=shares),
        "merged_markups": results.compute_markups(prices, costs),
        "merged_profits": results.compute_profits(prices, shares, costs),
        "merged_surpluses": results.compute_consumer_surpluses(prices),
    }


def micro_moments(blp, results, agents):
    """Simulated micro data, scores, and one optimal moment a parameter."""
    dataset = blp.MicroDataset(
        "Simulated micro data", 1000, lambda t, p, a: np.ones((a.size, 1 + p.size)), market_ids=["C61Q1"]
    )
    drawn = pd.DataFrame(blp.data_to_dict(results.simulate_micro_data(dataset, seed=0)))
    agents = agents.assign(agent_indices=agents.groupby("market_ids").cumcount())
    observed = drawn.merge(agents.drop(columns=["weights"] + [f"nodes{k}" for k in range(20)], errors="ignore"),
                           on=["market_ids", "agent_indices"], how="left")
    integration = blp.Integration("product", 5)
    scores = results.compute_micro_scores(dataset, observed, integration=integration)
    possible = results.compute_agent_scores(dataset, integration=integration)
    moments = [
        blp.MicroMoment(
            f"score {m}", score.mean(), blp.MicroPart(f"score {m}", dataset, lambda t, p, a, v=possible[m]: v[t])
        )
        for m, score in enumerate(scores)
    ]
    arrays = {
        "micro_choices": drawn[["agent_indices", "choice_indices"]].to_numpy(dtype=float),
        "micro_scores": np.array(scores),
        "agent_scores": np.array([score["C61Q1"] for score in possible]),
    }
    return moments, arrays


def walk(blp, draws=5):
    """{name: array} of everything that the tutorial computes."""
    problem, products, agents = cereal_problem(blp)
    results = stand_at(blp, problem, THETA[0])
    merged = products["firm_ids"].replace(2, 1)
    arrays = estimates(results, "first") | before_the_merger(results, merged)
    arrays |= after_the_merger(results, merged, arrays)
    boot = results.bootstrap(draws=draws, seed=0)
    for name in ("sigma", "pi", "beta", "delta", "shares", "prices"):
        arrays[f"boot.{name}"] = getattr(boot, f"bootstrapped_{name}")
    arrays["boot.means"] = boot.extract_diagonal_means(boot.compute_elasticities())
    arrays["boot.costs"] = boot.compute_costs()
    instruments = results.compute_optimal_instruments(method="approximate")
    arrays["optimal_instruments"] = instruments.demand_instruments
    updated = instruments.to_problem()
    arrays |= estimates(stand_at(blp, updated, THETA[1]), "second")
    moments, found = micro_moments(blp, results, agents)
    arrays |= found | estimates(stand_at(blp, updated, THETA[2], micro_moments=moments), "third")
    return arrays
