"""Reading the books of a linked connection, first and again."""

from tests.journeys.truth import differences
from tests.journeys.world import World


async def test_after_a_link_everything_is_read_and_told_once(world: World) -> None:
    await world.drain()

    reads = await world.rows("select data_type, status, error_message from dataset")
    assert {(r["data_type"], r["status"], r["error_message"]) for r in reads} == {
        (r["data_type"], "Complete", None) for r in reads
    }
    assert len(reads) == 14
    assert len(await world.events("read.completed")) == 1
    assert len(await world.events("read.completed.initial")) == 1


async def test_the_cache_says_what_the_books_say(world: World) -> None:
    await world.drain()

    assert await differences(world) == {}
