"""Surveys: statistics over the counts on many segments, planes or boxes made of points."""

from __future__ import annotations

from milpcount.survey.neighbourhoods import Neighbourhood as Neighbourhood
from milpcount.survey.neighbourhoods import NeighbourhoodSurvey as NeighbourhoodSurvey
from milpcount.survey.selection import KINDS as KINDS
from milpcount.survey.statistics import survey as survey
from milpcount.survey.survey_table import Statistics as Statistics
from milpcount.survey.survey_table import SurveyResult as SurveyResult
from milpcount.survey.survey_table import SurveyRow as SurveyRow
