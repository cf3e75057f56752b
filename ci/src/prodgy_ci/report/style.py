"""The page's style sheet: light and dark, on a wide screen, a phone and paper."""

CSS = """
:root { color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1f2328; --soft: #5c6570; --line: #e4e2dd; --well: #f4f2ee;
  --good: #1a7f4b; --good-well: #e4f4ea; --bad: #b3261e; --bad-well: #fbe9e7; --warn: #8a5a00; --warn-well: #fdf3dc;
  --plan: #6f7a86; --build: #3f78c4; --unit: #2c8577; --integration: #7a68c4; --publish: #a96c24;
  --deploy: #b04a7a; --other: #6f7a86; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #15181c; --card: #1d2126; --ink: #e6e8ea; --soft: #9aa4af; --line: #30363d; --well: #262b31;
  --good: #6fcf97; --good-well: #173526; --bad: #ff8a80; --bad-well: #45201d; --warn: #f0c36d; --warn-well: #3d3014;
  --plan: #6a7480; --build: #4677b8; --unit: #2f8577; --integration: #7263b5; --publish: #a8722f;
  --deploy: #a84a78; --other: #626c77; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .6rem 0 .3rem; letter-spacing: -.01em; }
h2 { font-size: 1.05rem; margin: 0 0 .8rem; }
p { margin: 0 0 .6rem; }
code, pre { font: .86em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { margin: .6rem 0 0; padding: .75rem .9rem; background: var(--well); border-radius: 8px; white-space: pre-wrap;
  max-height: 24rem; overflow-y: auto; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.15rem 1.3rem;
  margin-top: 1rem; }
.soft { color: var(--soft); }
.badge { display: inline-block; padding: .1rem .7rem; border-radius: 99px; font-weight: 600; font-size: .85rem; }
.badge.passed { color: var(--good); background: var(--good-well); }
.badge.failed { color: var(--bad); background: var(--bad-well); }
.badge.incomplete { color: var(--warn); background: var(--warn-well); }
.facts { display: flex; flex-wrap: wrap; gap: .3rem 1.6rem; margin: 0; padding: 0; list-style: none; color: var(--soft); }
.facts b { color: var(--ink); font-weight: 600; }
.failure { border-left: 4px solid var(--bad); }
.failure.unknown { border-left-color: var(--warn); }
.passed, .deployed, .unchanged { color: var(--good); } .failed { color: var(--bad); } .warning { color: var(--warn); }
.none, .not-applicable { color: var(--soft); }
.state { white-space: nowrap; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 600; font-size: .8rem; color: var(--soft); }
th, td { padding: .45rem .9rem .45rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 0; }
td.name { font-weight: 600; white-space: nowrap; }
details { margin-top: .5rem; } summary { cursor: pointer; color: var(--soft); }
td details, .list details { margin: 0; } td summary, .list summary { color: inherit; }
.list { list-style: none; margin: 0; padding: 0; }
.list > li { padding: .45rem 0; border-bottom: 1px solid var(--line); } .list > li:last-child { border: 0; }
.time { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: .7rem .9rem; align-items: center; }
.time svg { display: block; width: 100%; } .time .lane { font-weight: 600; font-size: .85rem; }
.time text { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; }
.bar text { fill: #fff; } .axis text, .time .axis { fill: var(--soft); } .grid { stroke: var(--line); }
.bar.plan rect { fill: var(--plan); } .bar.build rect { fill: var(--build); } .bar.unit-tests rect { fill: var(--unit); }
.bar.integration-tests rect { fill: var(--integration); } .bar.publish rect { fill: var(--publish); }
.bar.deploy rect { fill: var(--deploy); }
.bar rect { fill: var(--other); } .bar.broken rect { fill: var(--bad); } .bar.broken text { fill: var(--card); }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: .9rem 0 0; font-size: .82rem; color: var(--soft); }
.key svg { width: .8rem; height: .8rem; vertical-align: -.05rem; margin-right: .35rem; }
.arrow { color: var(--soft); padding: 0 .3rem; }
footer { margin-top: 1.5rem; color: var(--soft); font-size: .82rem; }
@media (max-width: 44rem) {
  main { padding: 1.1rem .8rem 3rem; } section { padding: 1rem; border-radius: 10px; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, td { display: block; } tr { padding: .6rem 0; border-bottom: 1px solid var(--line); }
  tr:first-child { padding-top: 0; } tr:last-child { border: 0; padding-bottom: 0; }
  td { border: 0; padding: .1rem 0; display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); }
  td::before { content: attr(data-label); color: var(--soft); font-size: .82rem; }
  td.name { display: block; font-size: 1.02rem; } td.name::before { content: none; } td.empty { display: none; }
  .state { white-space: normal; }
  .time { grid-template-columns: minmax(0, 1fr); gap: .2rem; } .time .lane { margin-top: .4rem; }
  .bar:not(.broken) text { display: none; } }
@media print {
  :root { --paper: #fff; --card: #fff; --well: #f6f6f6; } body { font-size: 11px; } main { max-width: none; padding: 0; }
  section { break-inside: avoid-page; border-color: #ccc; }
  pre { max-height: none; } details::details-content { display: block; content-visibility: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
