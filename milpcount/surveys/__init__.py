"""Surveys: statistics over the counts on many segments, planes or boxes made of points."""

from __future__ import annotations

from milpcount.surveys.neighbourhoods import Neighbourhood as Neighbourhood
from milpcount.surveys.neighbourhoods import NeighbourhoodSurvey as NeighbourhoodSurvey
from milpcount.surveys.selection import KINDS as KINDS
from milpcount.surveys.statistics import survey as survey
from milpcount.surveys.survey_table import Statistics as Statistics
from milpcount.surveys.survey_table import SurveyResult as SurveyResult
from milpcount.surveys.survey_table import SurveyRow as SurveyRow
