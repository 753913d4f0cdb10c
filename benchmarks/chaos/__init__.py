"""Kill -9 at random moments, again and again, while people work; in the end every promise is checked against the rows
and against what the workspace saw. `make chaos`, `python -m benchmarks.chaos --help`; figures: benchmarks/chaos.txt.

A round (rounds.py) has a workspace, a database and real processes of its own. People and a helpdesk work (people.py,
leads.py, sender.py) and write down what was acknowledged (ledger.py); faults.py kills; invariants/ looks at the end.
"""
