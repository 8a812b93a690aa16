"""Which settings let a server write personal values into its log."""

import pytest

from retention.warehouse.logged_values import wanted
from retention.warehouse.server_settings import _SETTINGS

pytestmark = pytest.mark.unit

QUIET = {
    "log_min_messages": "log",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_parameter_max_length": "-1",
}


@pytest.mark.parametrize(
    ("settings", "change"),
    [
        pytest.param({}, {}, id="nothing is written"),
        pytest.param({"log_min_messages": "fatal"}, {}, id="even less"),
        pytest.param({"log_min_messages": "warning"}, {"log_min_messages": "log"}, id="as shipped"),
        pytest.param({"log_min_messages": "error"}, {"log_min_messages": "log"}, id="errors"),
        pytest.param(
            {"log_statement": "all"}, {"log_parameter_max_length": "0"}, id="all statements"
        ),
        pytest.param({"log_statement": "ddl"}, {}, id="statements that bind nothing"),
        pytest.param(
            {"log_min_duration_statement": "250"},
            {"log_parameter_max_length": "0"},
            id="slow statements",
        ),
        pytest.param(
            {"log_min_duration_sample": "5"}, {"log_parameter_max_length": "0"}, id="a sample"
        ),
        pytest.param(
            {"log_transaction_sample_rate": "0.01"},
            {"log_parameter_max_length": "0"},
            id="a sample of transactions",
        ),
        pytest.param(
            {"log_statement": "all", "log_parameter_max_length": "0"}, {}, id="statements alone"
        ),
        pytest.param(
            {"auto_explain.log_min_duration": "0"},
            {"auto_explain.log_min_duration": "-1"},
            id="plans",
        ),
        pytest.param({"auto_explain.log_min_duration": "-1"}, {}, id="no plans"),
        pytest.param(
            {"pgaudit.log": "write", "pgaudit.log_parameter": "on"},
            {"pgaudit.log_parameter": "off"},
            id="an audit with values",
        ),
        pytest.param(
            {"pgaudit.log": "write", "pgaudit.log_parameter": "off"}, {}, id="an audit without"
        ),
    ],
)
def test_each_setting_that_writes_values_is_named_with_its_remedy(
    settings: dict[str, str], change: dict[str, str]
) -> None:
    assert wanted({**QUIET, **settings}) == change


def test_the_embedded_server_writes_none() -> None:
    assert wanted({**QUIET, **_SETTINGS}) == {}
