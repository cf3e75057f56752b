"""What prodgy-ci.toml may say, and the one line that each mistake gives."""

import pytest

from prodgy_ci.catalog import builtin, load
from prodgy_ci.errors import CatalogError, UnknownServiceError

SERVICES = ["api", "web", "service", "studio", "gateway", "agentic", "engine", "assistant", "docs"]
NAMES = "api, web, service, studio, gateway, agentic, engine, assistant, docs"


def test_an_empty_file_is_the_built_in_catalog() -> None:
    assert load("") == builtin()
    assert list(builtin().services) == SERVICES


def test_the_built_in_services_are_those_of_the_documentation() -> None:
    catalog = builtin()
    forms = {name: service.form for name, service in catalog.services.items()}
    assert [name for name, form in forms.items() if form != "image"] == ["assistant", "docs"]
    assert (forms["assistant"], forms["docs"]) == ("artifact", "site")
    assert catalog.services["engine"].own_paths == ("apps/engine/", "Dockerfile.engine")
    assert {service.image for service in catalog.services.values()} == {f"prodgy-{name}" for name in SERVICES}
    assert catalog.services["api"].variable == "apiContainerAppName"


@pytest.mark.parametrize(
    ("text", "find", "expected"),
    [
        ('root = "examples/prodgy/"', lambda c: c.root, "examples/prodgy"),
        ('root = "./"', lambda c: c.root, "."),
        ("[services.docs]\nremove = true", lambda c: "docs" in c.services, False),
        ("[services.api]\nport = 99", lambda c: (c.services["api"].port, c.services["api"].kind), (99, "node")),
        ('[services.new]\nkind = "node"\ndockerfile = "D"', lambda c: c.services["new"].path, "apps/new"),
        ('[services.new]\nkind = "rust"\ndockerfile = "D"', lambda c: c.services["new"].image, "prodgy-new"),
        ('[services.new]\nkind = "static"\ndockerfile = "D"', lambda c: c.services["new"].health, "/health"),
        ("", lambda c: c.services["docs"].health, "/version.json"),
        ('[services.new]\nkind = "dotnet"\ntarget = "windows-vm"', lambda c: c.services["new"].variable, None),
        ('[services.api]\nvariable = "myApp"', lambda c: c.variables[-1], "myApp"),
        ('builtin = false\n[services.one]\nkind = "x"\ndockerfile = "D"', lambda c: list(c.services), ["one"]),
        ('builtin = false\n[services.one]\nkind = "x"\ndockerfile = "D"', lambda c: len(c.environments), 3),
        ("[checks.tls]\nwarn_days = 30", lambda c: (c.checks.tls.warn_days, c.checks.tls.fail_days), (30, 3)),
        (
            '[checks]\nskip = ["logs of *"]',
            lambda c: [c.checks.skips(n) for n in ("logs of api", "logs")],
            [True, False],
        ),
        ('builtin = false\n[services.one]\nkind = "x"\ndockerfile = "D"', lambda c: c.checks.login.service, "api"),
        ('ignored = ["*.txt"]', lambda c: c.ignored, ("*.txt",)),
        ('[rules.r]\npaths = ["libs/"]\nservices = ["api"]', lambda c: c.rules["r"].paths, ("libs/",)),
        ('[environments.development]\nref = "refs/heads/dev"', lambda c: c.environment("refs/heads/main"), None),
    ],
)
def test_what_a_file_says(text: str, find: object, expected: object) -> None:
    assert callable(find)
    assert find(load(text)) == expected


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('rooot = "x"', "rooot: unknown key: did you mean 'root'? Known: root, ignored, pipeline_paths, variables, "
         "services, rules, environments, checks, builtin"),
        ("builtin = 1", "builtin: give true or false"),
        ('root = "/x"', "root: '/x' is absolute; write it relative to the root"),
        ('root = "../x"', "root: '../x' leaves the repository"),
        ('root = "a//b"', "root: 'a//b' is empty or holds an empty or '.' part"),
        ("root = 'a\\b'", "root: 'a\\\\b' holds a backslash or a control character; write paths with '/'"),
        ('ignored = ["*"]', "ignored.0: '*' is not '*' and the end of a file's name, such as '*.md'"),
        ('ignored = ["a/*.md"]', "ignored.0: 'a/*.md' holds a wildcard; give a folder that ends in '/' or one exact "
         "file"),
        ("services = 1", "services: not a table of named entries; write [services.NAME]"),
        ("services.api = 1", "services.api: not a table; write [services.api]"),
        ("services.port = 1", "services.port: not a table; write [services.port] (or is 'port' meant to stand in an "
         "entry?)"),
        ('[services.api]\nname = "x"', "services.api.name: unknown key; the name is the table's: [services.api]"),
        ("[services.api]\nremove = 1", "services.api.remove: give true or false"),
        ("[services.doc]\nremove = true", "services.doc.remove: there is no 'doc' to remove: did you mean 'docs'? "
         f"Known: {NAMES}"),
        ("[services.docs]\nremove = true\nport = 1", "services.docs.port: has no effect beside remove = true"),
        ('[services.api]\ncontext = "apps/web"', "services.api.context: the Dockerfile must lie in it"),
        ("[services.api]\nprot = 1", "services.api.prot: unknown key: did you mean 'port'? Known: context, dockerfile, health, "
         "image, kind, needs, path, paths, port, requires, site_folder, site_stage, target, variable, windows, remove"),
        ('[services.api]\nport = "80"', "services.api.port: input should be a valid integer, not '80'"),
        ("[services.api]\nport = 0", "services.api.port: input should be greater than or equal to 1, not 0"),
        ('[services.new]\ndockerfile = "D"', "services.new.kind: missing"),
        ('[services.new]\nkind = "rust"', "services.new.dockerfile: missing; a service for container-app is built from "
         'a Dockerfile, such as "apps/new/Dockerfile"'),
        ('[services.new]\nkind = "static"\ntarget = "static-web-app"', "services.new.dockerfile: missing; a service "
         "for static-web-app is built from a Dockerfile with a stage 'site', such as \"apps/new/Dockerfile\""),
        ('[services.New]\nkind = "x"\ndockerfile = "D"', "services.New: 'New' does not have the form "
         "^[a-z][a-z0-9-]*$"),
        ('[services.api]\nimage = "Prodgy"', "services.api.image: 'Prodgy' does not have the form "
         "^[a-z0-9]+(?:[._/-][a-z0-9]+)*$"),
        ('[services.api]\nimage = "prodgy-web"', "services.web.image: 'prodgy-web' is the image of 'api' too"),
        ('[services.api]\nneeds = ["enigne"]', "services.api.needs: unknown service 'enigne': did you mean 'engine'? "
         f"Known: redis, postgres, {NAMES}"),
        ('[services.engine]\nneeds = ["api"]', None),
        ('[services.api]\npaths = ["libs/*"]', "services.api.paths.0: 'libs/*' holds a wildcard; give a folder that "
         "ends in '/' or one exact file"),
        ("[rules.r]\npaths = []\nall = true", "rules.r.paths: give at least 1"),
        ('[services.api]\nneeds = "redis"', "services.api.needs: give a list, such as ['redis']"),
        ('[environments.development.urls]\nwep = "https://x"', "environments.development.urls: unknown service 'wep': "
         f"did you mean 'web'? Known: {NAMES}"),
        ("checks = 1", "checks: not a table; write [checks]"),
        ("[checks.cors]\nalowed = []", "checks.cors.alowed: unknown key: did you mean 'allowed'? Known: allowed, "
         "allowed_services, foreign, service"),
        ('[[checks.gateway.routes]]\nservice = "api"\nrout = "/x"\nroute = "/x"', "checks.gateway.routes.0.rout: "
         "unknown key: did you mean 'route'? Known: body, method, route, service, status"),
        ('[[checks.gateway.routes]]\nservice = "apii"\nroute = "/x"', "checks.gateway.routes.0.service: unknown service "
         f"'apii': did you mean 'api'? Known: {NAMES}"),
        ('[checks.login]\nservice = "apii"', "checks.login.service: unknown service 'apii': did you mean 'api'? Known: "
         f"{NAMES}"),
        ('[checks.dependencies]\nredis = ["engin"]', "checks.dependencies.redis: unknown service 'engin': did you mean "
         f"'engine'? Known: {NAMES}"),
        ('[checks.logs]\nerror = "("', "checks.logs.error: not a regular expression: missing ), unterminated subpattern "
         "at position 0"),
        ("[services.assistant.windows]\nkep = 1", "services.assistant.windows.kep: unknown key: did you mean 'keep'? "
         "Known: folder, health, keep, nssm, preserve, releases, service"),
        ('[rules.r]\npaths = ["x/"]', "rules.r: selects nothing; give services, kinds or all = true"),
        ('[rules.r]\npaths = ["x/"]\nkinds = ["nod"]', "rules.r.kinds: unknown kind 'nod': did you mean 'node'? Known: "
         "node, python, dotnet, static"),
        ('[rules.r]\npaths = ["x/"]\nservices = ["apii"]', "rules.r.services: unknown service 'apii': did you mean "
         f"'api'? Known: {NAMES}"),
        ('[rules.api]\npaths = ["x/"]\nall = true', "rules.api: a service has that name; name the rule otherwise"),
        ('[environments.e]\nref = "main"\nvariable_group = "g"', "environments.e.ref: 'main' does not have the form "
         "^refs/(?:heads|tags)/[^\\s*]*\\*?$"),
        ('[environments.e]\nref = "refs/heads/m*"\nvariable_group = "g"', "environments.e.ref: refs/heads/m* also "
         "stands for environment 'development' (refs/heads/main); a ref must stand for one"),
    ],
)  # fmt: skip
def test_a_mistake_gives_one_line_that_names_its_key(text: str, line: str | None) -> None:
    with pytest.raises(CatalogError) as caught:
        load(text)
    assert len(caught.value.problems) == 1, caught.value.problems
    if line is not None:
        assert str(caught.value) == f"prodgy-ci.toml: {line}"


def test_services_that_need_each_other_are_shown_as_a_circle() -> None:
    with pytest.raises(
        CatalogError, match=r"services that need each other cannot be started: api → agentic → engine → api"
    ):
        load('[services.engine]\nneeds = ["api"]')


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(CatalogError) as caught:
        load("[services.api]\nport = 0\nprot = 1\n[services.web]\nport = 0")
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "services.api.port",
        "services.api.prot",
        "services.web.port",
    ]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("root = ", "prodgy-ci.toml: not valid TOML: Invalid value"),
        ("[services.api]\n[services.api]", "prodgy-ci.toml: services.api: there twice (at line 2, column 14); a name"),
    ],
)
def test_what_is_not_toml_is_said_with_its_place(text: str, start: str) -> None:
    with pytest.raises(CatalogError) as caught:
        load(text)
    assert str(caught.value).startswith(start)


def test_services_are_chosen_by_name_in_the_catalogs_order() -> None:
    catalog = builtin()
    assert [service.name for service in catalog.choose(["engine", "api"])] == ["api", "engine"]
    assert len(catalog.choose(None)) == len(catalog.choose(["all"])) == len(SERVICES)
    with pytest.raises(UnknownServiceError, match="unknown service 'ENGINE': did you mean 'engine'"):
        catalog.service("ENGINE")


def test_what_a_build_may_see_is_what_selects_it() -> None:
    context = builtin().context(builtin().services["engine"])
    assert context == ("apps/engine/", "Dockerfile.engine", ".dockerignore")
    assert "packages/" in builtin().context(builtin().services["api"])


@pytest.mark.parametrize(
    ("ref", "name"),
    [("refs/heads/main", "development"), ("refs/heads/staging", "staging"), ("refs/tags/v1", "production"),
     ("refs/heads/feature/main", None), ("main", None), ("refs/heads/v1", None)],
)  # fmt: skip
def test_an_environment_stands_behind_the_full_ref_alone(ref: str, name: str | None) -> None:
    environment = builtin().environment(ref)
    assert (environment.name if environment else None) == name


def test_a_catalog_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(builtin(), "root", "x")  # noqa: B010 - an assignment would not type-check


def test_paths_of_the_root_are_found_in_the_repository() -> None:
    assert builtin().in_repository("apps/api") == "apps/api"
    assert load('root = "a/b"').in_repository("apps/api") == "a/b/apps/api"
