"""Surveys: statistics over the counts on many segments, planes or boxes made of points."""

from __future__ import annotations

from milpcount.survey.domains import KINDS as KINDS
from milpcount.survey.run import survey as survey
from milpcount.survey.table import Statistics as Statistics
from milpcount.survey.table import SurveyResult as SurveyResult
from milpcount.survey.table import SurveyRow as SurveyRow
