"""What the stack is given for its checks: fresh for each run, and known to the checks alone."""

from prodgy_ci.catalog import load
from prodgy_ci.checks.verify import origins
from prodgy_ci.testing import desk


def test_each_run_has_secrets_of_its_own() -> None:
    catalog = load("")
    one, other = desk.prepare(catalog), desk.prepare(catalog)
    secrets = [*one.tokens.values(), one.jwt, one.password, *other.tokens.values(), other.jwt, other.password]
    assert len({secret.get_secret_value() for secret in secrets}) == 12
    assert one.run != other.run and secrets[0].get_secret_value() not in repr(one)


def test_the_checks_expect_what_the_stack_was_given() -> None:
    catalog = load('[checks.cors]\nallowed = ["https://partner.example"]')
    made = desk.prepare(catalog)
    urls = {service.name: f"http://10.0.0.{n}:{service.port}" for n, service in enumerate(desk.containers(catalog))}
    subject = desk.subject(catalog, made, urls)
    assert set(subject.urls) == set(catalog.services) - {"assistant", "docs"}
    assert set(subject.revisions.values()) == {made.run}
    allowed = origins(subject.settings, subject.urls)
    assert allowed == list(made.origins) == ["https://partner.example", "http://web:3000", "http://studio:3003"]
    assert made.password in subject.secrets and set(made.tokens.values()) <= set(subject.secrets)
