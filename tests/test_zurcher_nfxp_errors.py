"""What the nested fixed point estimator refuses by name, and what it marks as not converged."""

import dataclasses
import warnings

import numpy as np
import pytest
from zurcher_fixtures import EXACT

from compecon import zurcher
from compecon.errors import CompEconError, ConvergenceWarning, DataError, ParameterError

# Refusals


@pytest.mark.parametrize("groups", [(1,), (2,), (1, 2)])
def test_a_sample_without_replacements_is_refused_by_name(groups, bus_data):
    data, model = bus_data(groups, 90), zurcher.ZurcherModel(90, 0.9999)
    for likelihood in ("partial", "joint"):
        with pytest.raises(DataError, match=r"holds no replacement: the likelihood rises for ever in RC.* Add groups"):
            zurcher.nfxp(model, data, likelihood)
    assert zurcher.nfxp(model, data, "transitions").converged


def test_a_sample_that_is_replaced_every_month_is_refused(bus_data):
    data = bus_data((4,), 90)
    always = dataclasses.replace(data, cell_d=np.ones(data.n_cells))
    with pytest.raises(DataError, match="holds a replacement in every month"):
        zurcher.nfxp(zurcher.ZurcherModel(90, 0.9), always)


def test_data_and_model_of_different_states_are_refused_with_both_ways_out(bus_data):
    with pytest.raises(
        DataError,
        match=r"175 states and the data .* in 90 bins; use discretize\(.*=175\) or ZurcherModel\(n_states=90\)",
    ):
        zurcher.nfxp(zurcher.ZurcherModel(175, 0.9), bus_data((4,), 90))


def test_increments_of_one_category_are_refused(bus_panel):
    data = zurcher.discretize(
        bus_panel.assign(mileage=0.1), groups=[4], n_states=2, increments="model", max_mileage=1.5
    )
    with pytest.raises(DataError, match="one category, so theta3 has nothing to estimate; use more states"):
        zurcher.nfxp(zurcher.ZurcherModel(2, 0.9), data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"likelihood": "jiont"}, "unknown likelihood 'jiont'; choose one of 'transitions', 'partial', 'joint'"),
        ({"optimizer": "bhhhh"}, "unknown option 'bhhhh'; choose one of 'bhhh', 'newton', 'bfgs', 'bhhh-bfgs'"),
        ({"step": "unti"}, "unknown option 'unti'; choose one of 'unit', 'secant'"),
        ({"start": [1.0]}, r"start = \[1.0\]; it must hold 2 values, for RC, theta11"),
        ({"start": [1.0, np.nan]}, "start = .*; it must be a list of finite numbers"),
        ({"theta3": [0.4, 0.5, 0.1]}, "theta3 is estimated by the 'joint' likelihood; give it with 'partial' only"),
        ({"likelihood": "partial", "theta3": [0.5, 0.5]}, "theta3 has 2 probabilities, .* up to 2; give 3"),
        ({"likelihood": "partial", "theta3": [0.5, 0.5, 0.0]},
         r"theta3\[2\] = 0, but the data show 55 increments of 2"),
        ({"likelihood": "partial", "theta3": [0.5, 0.4, 0.05]}, "sums to 0.95"),
        ({"kind": "opgg"}, "unknown covariance 'opgg'; choose one of 'opg', 'hessian', 'sandwich', 'cluster'"),
        ({"kind": "two-step"}, "kind='two-step' corrects a 'partial' fit"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named_before_anything_is_computed(options, message, bus_data):
    with pytest.raises(ParameterError, match=message):
        zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), bus_data((4,), 90), **options)


# Not converged


def test_too_few_iterations_are_marked_in_the_warning_the_repr_and_the_summary(bus_data):
    with pytest.warns(ConvergenceWarning, match="stopped at 2 iterations"):
        fit = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), bus_data((4,), 90), max_iter=2)
    assert not fit.converged
    assert "NOT converged" in repr(fit)
    assert "converged         NO: stopped at 2 iterations" in str(fit.summary())


def test_starts_far_outside_reason_end_at_the_maximum_or_are_marked(bus_data):
    model, data = zurcher.ZurcherModel(90, 0.9999), bus_data((4,), 90)
    for optimizer in ("bhhh-bfgs", "newton", "bhhh"):
        for start in ([1e4, 0.0], [-50.0, -5.0], [0.0, 1e5], [1e6, 1e6]):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    fit = zurcher.nfxp(model, data, start=start, optimizer=optimizer)
                except CompEconError:
                    continue
            assert np.isfinite(fit.theta).all()
            assert np.isfinite(fit.llf)
            if fit.converged:
                assert np.allclose(fit.theta, EXACT[4,]["joint"]["theta"], rtol=1e-5), (optimizer, start)
            else:
                assert any(issubclass(warning.category, ConvergenceWarning) for warning in caught)
