"""Studies: many counts from one YAML file, stored as they finish, then tables and figures."""

from milpcount.study.runner import StudyReport as StudyReport
from milpcount.study.runner import report_study as report_study
from milpcount.study.runner import run_study as run_study
