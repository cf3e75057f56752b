import contextlib
import time

import redis

from conftest import until


def shut_down(store):
    """Ends Redis, which is then started again by whatever runs it, with nothing kept."""
    with contextlib.suppress(redis.ConnectionError):
        store.execute_command("SHUTDOWN", "NOSAVE")


def test_the_second_answer_is_a_cache_hit(ask, question):
    status, first = ask(question)
    assert status == 200
    assert first["cached"] is False
    assert ask(question) == (200, {**first, "cached": True})


def test_an_answer_expires(ask, question):
    ask(question, cache_seconds=1)
    assert ask(question)[1]["cached"] is True
    time.sleep(1.2)
    assert ask(question)[1]["cached"] is False


def test_nothing_is_kept_in_redis_for_ever(ask, store, question):
    before = set(store.scan_iter("answer:*"))
    ask(question)
    (added,) = set(store.scan_iter("answer:*")) - before
    assert 0 < store.ttl(added) <= 86400


def test_a_restart_of_redis_loses_the_cache_but_not_the_engine(ask, store, question):
    ask(question)
    started = store.info("server")["run_id"]
    shut_down(store)
    until("redis is another process", lambda: store.info("server")["run_id"] != started)
    status, answer = until("engine answers again", lambda: (got := ask(question))[0] == 200 and got, 15)
    assert answer["cached"] is False


def test_without_redis_the_engine_says_503_and_recovers(ask, engine, store, question):
    """Redis is ended again and again for as long as the engine has not noticed; then it is left alone."""
    seen, end = set(), time.monotonic() + 20
    while time.monotonic() < end and not {"health", "answers"} <= seen:
        shut_down(store)
        if engine.get("/health").status_code == 503:
            seen.add("health")
        if ask(question)[0] == 503:
            seen.add("answers")
    assert seen == {"health", "answers"}
    until("engine is healthy again", lambda: engine.get("/health").status_code == 200)
    assert ask(question)[0] == 200


def test_a_redis_that_hangs_is_a_redis_that_is_gone(ask, engine, store, question):
    store.execute_command("CLIENT", "PAUSE", 6000, "ALL")
    started = time.monotonic()
    assert ask(question)[0] == 503
    assert engine.get("/health").status_code == 503
    assert time.monotonic() - started < 6
    until("engine is healthy again", lambda: engine.get("/health").status_code == 200)
