import pytest

from tests.cast import Driver
from tests.machines import Machine


@pytest.fixture
def machine(driver: Driver) -> Machine:
    """An executor of the contributor with every scope, in a started workstream."""
    driver.start()
    return Machine.of(driver.cast.builder())
