"""JSONValue and EnvFile, asked by an ordinary `dagger-io` program; the answers are those of the engine's source."""

import os

import dagger
import pytest
from dagger import dag

pytestmark = pytest.mark.anyio
TEXT = '{"b": [1, 2.50, 1e3, 0.0001, "<é>"], "a": {"deep": {"yes": true}}, "none": null, "big": 12345678901234567890}\n'


# --- JSON -----------------------------------------------------------------------------------------------
async def test_json_is_kept_as_it_was_written_until_something_is_taken_out_of_it(session: None) -> None:
    value = dag.file("x.json", TEXT).as_json()
    assert await value.contents() == TEXT
    assert sorted(await value.fields()) == ["a", "b", "big", "none"]
    assert await value.field(["a"]).contents() == '{"deep":{"yes":true}}'
    assert await value.field(["a", "deep", "yes"]).as_boolean() is True
    assert await value.field(["b"]).contents() == '[1,2.5,1000,0.0001,"\\u003cé\\u003e"]'
    assert await value.field(["big"]).contents() == "12345678901234567000"  # Go's numbers are floats
    items = await value.field(["b"]).as_array()
    assert [await item.contents() for item in items[:3]] == ["1", "2.5", "1000"]
    assert await items[4].as_string() == "<é>"
    assert await value.field(["a"]).contents(pretty=True, indent="\t") == ('{\n\t"deep": {\n\t\t"yes": true\n\t}\n}')


async def test_json_is_made(session: None) -> None:
    assert await dag.json().contents() == "null"
    made = dag.json().with_field(["b", "c"], dag.json().new_integer(3)).with_field(["a"], dag.json().new_string('"<'))
    assert await made.contents() == '{"a":"\\"\\u003c","b":{"c":3}}'
    assert await made.with_field(["b"], dag.json().new_boolean(False)).field(["b"]).as_boolean() is False
    assert await made.with_field(["a", "x"], dag.json()).field(["a"]).contents() == '{"x":null}'
    assert await dag.json().with_contents(dagger.JSON(" [1] ")).contents() == " [1] "
    assert await dag.json().as_string() == "" and await dag.json().as_integer() == 0


async def test_json_of_the_wrong_kind_is_refused(session: None) -> None:
    value = dag.json().with_contents(dagger.JSON('{"a": 1.0}'))
    for wrong, message in (
        (value.field(["b"]).contents(), "no such field: 'b'"),
        (value.field(["a", "b"]).contents(), "can't lookup field 'b' in non-object value"),
        (value.as_array(), "value is not an array"),
        (value.field(["a"]).fields(), "value is not an object"),
        (value.as_integer(), "invalid"),
        (value.with_contents(dagger.JSON("1.0")).as_integer(), "'1.0'"),
        (value.field(["a"]).as_string(), "value is not a string"),
        (dag.json().new_boolean(True).as_integer(), "value is not an integer"),
        (dag.json().as_boolean(), "value is not a boolean"),
        (dag.json().with_contents(dagger.JSON("{,}")).contents(), "invalid JSON"),
        (dag.file("x", "NaN").as_json().contents(), "invalid JSON"),
    ):
        with pytest.raises(dagger.QueryError, match=message):
            await wrong


# --- env files ------------------------------------------------------------------------------------------
def env(*lines: str) -> dagger.EnvFile:
    return dag.file("any", "\n".join(lines)).as_env_file()


async def pairs(file: dagger.EnvFile, raw: bool = False) -> dict[str, str]:
    return {await v.name(): await v.value() for v in await file.variables(raw=raw)}


async def test_values_are_read_as_a_shell_reads_them(session: None) -> None:
    """The cases of the engine's own tests among them, and what its parser of shell answers."""
    found = env(
        "BAZ=$FOO-baz",
        "FOO=bar",
        "plain=a   b c (weird) &^",
        'quoted="a  $FOO \\" \\n" tail',
        "single='$FOO'\"$FOO\"",
        "words=a   '$FOO'  b",
        "escaped=a\\ b",
        "default=${MISSING:-x  ${FOO}}",
        'nested="${MISSING-${FOO:-y}}${FOO:-no}"',
        'list=["a", 1]',
        'gaps="  a  b "',
        "split=<$gaps>".replace("<", "[").replace(">", "]"),
        'kept="[$gaps]"',
        'comment="x" # no more',
        "export  exported=1",
        "export A=1",
        "# don't",
        'B="x y" # note',
        "C='q'",
        "A=2",
        "D=http://x/#y",
        "E",
    )
    assert await pairs(found) == {
        "BAZ": "bar-baz",
        "FOO": "bar",
        "plain": "a   b c (weird) &^",
        "quoted": 'a  bar " \\n tail',
        "single": "$FOObar",
        "words": "a $FOO b",
        "escaped": "a b",
        "default": "x bar",
        "nested": "barbar",
        "list": "[a, 1]",
        "gaps": "  a  b ",
        "split": "[ a b ]",
        "kept": "[  a  b ]",
        "comment": "x",
        "exported": "1",
        **{"A": "2", "B": "x y", "C": "q", "D": "http://x/#y", "E": "", "# don't": ""},
    }
    assert await found.get("quoted", raw=True) == '"a  $FOO \\" \\n" tail'
    assert [await v.name() for v in await found.variables(raw=True)] == sorted(await pairs(found))


async def test_what_cannot_be_read_is_an_error_where_it_is_asked_for(session: None) -> None:
    cycle = env("A=$B", "B=$A", "C=c")
    assert await cycle.get("C") == "c"
    for broken, message in (
        (cycle.get("A"), "refers to an unbound variable"),
        (cycle.variables(), "an unbound variable"),
        (env("PATH=$PATH:/x").get("PATH"), "PATH: refers to an unbound variable"),
        (env("A=$NOWHERE", "B=").get("A"), "A: refers to an unbound variable"),
        (env("EMPTY=", "B=$EMPTY").get("B"), "B: refers to an unbound variable"),
        (env("my-name=x").get("my-name"), "'my-name': not a bare assignment"),
        (dag.container().with_env_file_variables(env("A='")).env_variable("A"), "A: ' is not understood"),
    ):
        with pytest.raises(dagger.QueryError, match=message):
            await broken


@pytest.mark.parametrize(
    ("value", "token"),
    [
        ("don't", "'"),
        ('"open', '"'),
        ('"x" | b', "|"),
        ("ends\\", "\\"),
        ("$(ls)", "$("),
        ('"`ls`"', "`"),
        ("$((1+1))-$X", "$("),
        ("${X:?is needed}", "${"),
        ("${X+set}", "${"),
        ("${X:=y}", "${"),
        ("${#X}", "${"),
        ('"costs $?"', "$?"),
    ],
)
async def test_what_only_a_shell_knows_is_an_error_that_shows_no_value(session: None, value: str, token: str) -> None:
    made = env(f"A={value}", "B=b").with_variable("X", "1")
    assert (await made.get("B"), await made.get("A", raw=True)) == ("b", value)
    assert await made.as_file().contents() == f"A={value}\nB=b\nX=1\n"
    with pytest.raises(dagger.QueryError) as raised:
        await made.get("A")
    assert str(raised.value).startswith(f"A: {token} is not understood; ")


async def test_an_env_file_is_made_and_written(session: None) -> None:
    made = dag.env_file().with_variable("A", "1").with_variable("B", '"$A"').with_variable("A", "2")
    assert await made.as_file().contents() == 'A=2\nB="$A"\n'
    assert await made.as_file().name() == ".env"
    assert (await made.get("B"), await made.get("B", raw=True), await made.get("C")) == ("2", '"$A"', "")
    gone = made.without_variable("A")
    assert not await gone.exists("A") and await gone.exists("B")
    with pytest.raises(dagger.QueryError, match="refers to an unbound variable"):
        await gone.get("B")
    text = "# a comment\n\n  export A=1\nB=2\r\nA=3\n"
    assert await dag.file("x", text).as_env_file().as_file().contents() == "# a comment=\nA=3\nB=2\n"
    assert await pairs(dag.file("x", text).as_env_file()) == {"# a comment": "", "A": "3", "B": "2"}


async def test_a_namespace_keeps_what_its_values_refer_to(session: None) -> None:
    text = ("my_app_token=$root/t", "myApp_name=n", "MY_aPp_URL=u", "root=/r", "other=$UNDEFINED_ANYWHERE")
    for prefix in ("my-app", "my_app", "my_app_", "myApp"):
        found = env(*text).namespace(prefix)
        assert await pairs(found) == {"URL": "u", "name": "n", "token": "/r/t"}
        assert not await found.exists("root")
        assert await found.as_file().contents() == "URL=u\nname=n\ntoken=$root/t\n"


async def test_an_env_file_may_refer_to_the_callers_variables(session: None) -> None:
    assert await env("A=$HOME").get("A") == os.environ["HOME"]
    assert await env("HOME=/own", "A=$HOME").get("A") == "/own"
    made = dag.container().with_env_variable("A", "old").with_env_file_variables(env("A='new value'", "B=$A!"))
    assert (await made.env_variable("A"), await made.env_variable("B")) == ("new value", "new value!")
