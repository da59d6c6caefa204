"""FR-025: a query parameter that an operation does not know is refused with those that it does."""

from orchestrator.api.root import api
from tests.cast import Driver
from tests.machines import Machine


def test_fr025_unknown_query_parameters_are_refused_with_the_known_ones(driver: Driver) -> None:
    driver.start()
    machine = Machine.of(driver.cast.builder("asker"))
    status, told = machine.get("/api/tasks/?needs_humans=true")
    assert (status, told["details"]["field"]) == (422, "query")
    assert told["message"] == "There is no query parameter 'needs_humans' here."
    assert told["recovery"] == "It takes claimable, limit, needs_human, offset, status, workstream."
    task = driver.task("A1").pk
    assert machine.get(f"/api/tasks/{task}/?verbose=1")[1]["recovery"] == "It takes none."
    assert machine.get(f"/api/tasks/{task}/brief?offset=0&limit=5")[0] == 200
    assert machine.get("/api/tasks/?status=active&limit=3")[0] == 200


def test_fr025_every_described_query_parameter_is_taken(driver: Driver) -> None:
    """What the description offers no operation refuses as unknown."""
    machine = Machine.of(driver.cast.builder("asker"))
    tried = 0
    for address, operations in api.get_openapi_schema(path_prefix="/api/")["paths"].items():
        for method, one in operations.items():
            names = [row["name"] for row in one.get("parameters", ()) if row["in"] == "query"]
            if method == "get" and names and "{" not in address:
                query = "&".join(f"{name}=1" for name in names)
                told = str(machine.get(f"{address}?{query}"))
                assert "no query parameter" not in told, told
                tried += 1
    assert tried > 5
