# SPDX-License-Identifier: MIT
"""What a run of a target gave, and the table of all."""

import dataclasses


@dataclasses.dataclass
class Result:
    target: str
    engine: str
    executions: int = 0
    seconds: float = 0.0
    processor_seconds: float = 0.0  # less than the other where the machine is busy
    edges: int = 0        # reached
    edges_all: int = 0    # instrumented in the program, those of failing checks among them
    features: int = 0     # libFuzzer: edges by how often; AFL: inputs in the corpus
    findings: list = dataclasses.field(default_factory=list)  # files
    failure: str = ""     # why the run itself went wrong

    @property
    def is_good(self):
        return not self.findings and not self.failure

    def as_json(self):
        return dataclasses.asdict(self)


def print_table(results):
    print(f"\n{'target':<12}{'engine':<11}{'executions':>15}{'duration':>11}{'exec/s':>11}"
          f"{'/CPU s':>11}{'edges':>14}{'findings':>10}")
    for one in results:
        rates = [f"{one.executions / seconds:,.0f}" if seconds > 0 else "-"
                 for seconds in (one.seconds, one.processor_seconds)]
        print(f"{one.target:<12}{one.engine:<11}{one.executions:>15,}{one.seconds:>9.1f} s"
              f"{rates[0]:>11}{rates[1]:>11}{f'{one.edges} of {one.edges_all}':>14}"
              f"{len(one.findings):>10}")
    for one in results:
        for path in one.findings:
            print(f"finding of {one.target}: {path}")
        if one.failure:
            print(f"{one.target}: {one.failure}")
