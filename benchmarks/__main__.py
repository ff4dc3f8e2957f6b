"""Measure: ``python -m benchmarks``, and up to 1e8 sessions with ``--full``.

``python -m benchmarks peers`` measures how soon a pick is seen, beside other pages.
``python -m benchmarks logs`` measures reading a web server's log, beside others.
``python -m benchmarks warehouse`` measures sessions that stay in a database.
``python -m benchmarks sections`` measures the sections that are folded at first.
``python -m benchmarks load`` measures many people at once, and ``soak`` ten minutes.
"""

import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["peers"]:
        from benchmarks.peers import measure

        measure.main(sys.argv[2:])
        sys.exit()

    if sys.argv[1:2] in (["load"], ["soak"]):
        from benchmarks import load

        load.main() if sys.argv[1] == "load" else load.soak()
        sys.exit()

    if sys.argv[1:2] == ["warehouse"]:
        from benchmarks import warehouse

        warehouse.main(sys.argv[2:])
        sys.exit()

    if sys.argv[1:2] == ["sections"]:
        from benchmarks import sections

        sections.main(full="--full" in sys.argv[2:])
        sys.exit()

    from benchmarks import logs

    if sys.argv[1:2] == ["logs"]:
        logs.main()
        sys.exit()

    from benchmarks import page, reading, scale

    page.main()
    print()
    reading.main()
    print()
    logs.main()
    print()
    scale.main(full="--full" in sys.argv[1:])
