"""What changed since what is deployed, and so what will run: git facts to a plan. No Dagger.

`python -m prodgy_ci.changes` is the whole of it; `options.command` builds that command line, `plan.Plan` reads what it
prints, and `table.table` says it to people.
"""
