"""Directory.search and File.search; but for the patterns they answer what ripgrep, which the engine runs, answers."""

import dagger
import pytest
from dagger import dag

pytestmark = pytest.mark.anyio
CODE = 'package main\n\nfunc main() {\n\tname := "Alice"\n\tage := 30\n}\n'


def files(**contents: str) -> dagger.Directory:
    made = dag.directory()
    for name, text in contents.items():
        made = made.with_new_file(name, text)
    return made


async def lines(results: list[dagger.SearchResult]) -> list[str]:
    return [f"{await r.file_path()}:{await r.line_number()}:{await r.matched_lines()}" for r in results]


async def paths(results: list[dagger.SearchResult]) -> list[str]:
    return [await r.file_path() for r in results]


async def test_what_a_result_tells(session: None) -> None:
    found = await files(**{"b/x": "no\nä foo foo\nfoo"}).search("foo")
    assert await lines(found) == ["b/x:2:ä foo foo\n", "b/x:3:foo"]
    assert [await r.absolute_offset() for r in found] == [3, 14]  # in bytes
    submatches = await found[0].submatches()
    assert [(await m.text(), await m.start(), await m.end()) for m in submatches] == [("foo", 3, 6), ("foo", 7, 10)]


async def test_patterns(session: None) -> None:
    tree = files(**{"a.go": CODE, "b.txt": "Hello\nhello\n.*\na-b\n"})
    assert await lines(await tree.search(r"^func \w+\(\)")) == ["a.go:3:func main() {\n"]
    assert await lines(await tree.search(".*", literal=True)) == ["b.txt:3:.*\n"]
    assert await lines(await tree.search("-b")) == ["b.txt:4:a-b\n"]
    assert await lines(await tree.search("HELLO", insensitive=True)) == ["b.txt:1:Hello\n", "b.txt:2:hello\n"]
    assert await lines(await tree.search(r"main\s+func")) == []
    both = 'a.go:4:\tname := "Alice"\n\tage := 30\n'
    assert await lines(await tree.search(r'".*"\n\s+age', multiline=True)) == [both]
    assert await lines(await tree.search('"Alice"\n\tage', multiline=True, literal=True)) == [both]
    assert await tree.search("name.*age", multiline=True) == []
    assert await lines(await tree.search("name.*age", multiline=True, dotall=True)) == [both]
    together = await tree.search(r"ello\nh|ello\n\.", multiline=True)
    assert await lines(together) == ["b.txt:1:Hello\nhello\n.*\n"]  # the second begins where the first ends
    assert [await m.start() for m in await together[0].submatches()] == [1, 7]
    assert await lines(await tree.search("$", multiline=True, globs=["b.txt"], limit=9)) == [
        *("b.txt:1:Hello\n", "b.txt:2:hello\n", "b.txt:3:.*\n", "b.txt:4:a-b\n")
    ]


async def test_which_files_are_searched(session: None) -> None:
    tree = files(
        **{
            "a.go": "x",
            "a.md": "x",
            ".hidden": "x",
            "sub/b.go": "x",
            "sub/.deep/c.go": "x",
            "build/o": "x",
            "sub/c.log": "x",
            ".gitignore": "a.md\nbuild/\n",
            "sub/.gitignore": "*.log\n",
        }
    ).with_symlink("a.go", "link")
    found = ["a.go", "a.md", "build/o", "sub/.deep/c.go", "sub/b.go", "sub/c.log"]
    assert await paths(await tree.search("^x")) == [".hidden", *found]
    assert await paths(await tree.search("^x", skip_hidden=True)) == [p for p in found if ".deep" not in p]
    assert await paths(await tree.search("^x", skip_ignored=True)) == [
        ".hidden",
        *found,
    ]  # .gitignore counts in git alone
    kept = [".hidden", "a.go", "sub/.deep/c.go", "sub/b.go"]
    in_git = tree.with_new_file(".git/HEAD", "")
    assert await paths(await in_git.search("^x", skip_ignored=True)) == kept
    assert await paths(await in_git.search("^x", skip_ignored=True, paths=["build", "build/o"])) == ["build/o"]
    for globs, expected in (
        (["*.go"], ["a.go", "sub/.deep/c.go", "sub/b.go"]),
        (["*.{go,md}", "!sub"], ["a.go", "a.md"]),
        (["/*.go"], ["a.go"]),
        (["sub/*"], ["sub/b.go", "sub/c.log"]),
        (["sub"], []),
        (["!*.go"], [".hidden", "a.md", "build/o", "sub/c.log"]),
    ):
        assert await paths(await tree.search("^x", globs=globs)) == expected, globs


async def test_paths_to_search(session: None) -> None:
    tree = files(**{"src/a": "x", "src/.b": "x", "docs/c": "x"}).with_symlink("/src", "docs/link")
    assert await paths(await tree.search("x", paths=["/docs", "src/a"])) == ["docs/c", "src/a"]
    assert await paths(await tree.search("x", paths=["docs/link"])) == ["src/.b", "src/a"]
    assert await paths(await tree.search("x", paths=["src/.b"], skip_hidden=True, globs=["*.go"])) == ["src/.b"]
    assert await paths(await tree.search("x", paths=["src"], skip_hidden=True)) == ["src/a"]
    assert await paths(await tree.directory("src").search("x")) == [".b", "a"]
    with pytest.raises(dagger.QueryError, match="leaves its directory"):
        await tree.search("x", paths=["src/../../etc"])
    with pytest.raises(dagger.QueryError, match="none: no such file or directory"):
        await tree.search("x", paths=["none"])


async def test_limits_and_mere_files(session: None) -> None:
    tree = files(a="x\nx\n", b="x\n")
    assert await lines(await tree.search("x", limit=2)) == ["a:1:x\n", "a:2:x\n"]
    assert len(await tree.search("x", limit=0)) == 1  # as the engine counts
    mere = await tree.search("x", files_only=True, limit=1)
    assert await lines(mere) == ["a:0:", "b:0:"]
    assert await mere[0].submatches() == []
    assert await dag.directory().search("x") == []


async def test_what_is_no_text_is_passed_over(session: None) -> None:
    made = "import sys; w = lambda n, b: open('/d/' + n, 'wb').write(b); w('bin', b'text\\0\\ntext\\n'); "
    made += (
        "w('utf16', 'text\\n'.encode('utf-16')); w('bom', b'\\xef\\xbb\\xbftext'); w('latin', b'text\\xe9\\ntext\\n')"
    )
    container = dag.container().from_("python:3.13-slim").with_exec(["mkdir", "/d"])
    tree = container.with_exec(["python", "-c", made]).directory("/d")
    assert await lines(await tree.search("^text")) == ["bom:1:text"]
    assert await tree.file("bin").search("text") == []


async def test_a_file_is_searched_under_its_own_name(session: None) -> None:
    found = await files(**{"src/.a": "one\ntwo\n"}).file("src/.a").search("t.o", skip_hidden=True)
    assert await lines(found) == [".a:2:two\n"]


async def test_what_python_cannot_read_is_an_error(session: None) -> None:
    tree = files(a="x")
    for pattern in (r"\p{L}", "[[:alpha:]]", "[a&&b]", "x("):
        with pytest.raises(dagger.QueryError, match="regex parse error"):
            await tree.search(pattern)
    assert await tree.search(r"\p{L}", literal=True) == []
    assert await tree.search("a && b") == []
