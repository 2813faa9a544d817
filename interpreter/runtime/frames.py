"""What stands before a job and before its answer, between an engine and its helper processes."""

from __future__ import annotations

from struct import Struct

#: Length of the job's name, bytes of memory that it may take, length of the request, seconds that it may compute. The
#: name and the request follow.
JOB = Struct("!HQQd")
#: Whether the process takes MORE jobs or this was its LAST, and the length of the answer, which follows.
ANSWER = Struct("!BQ")
MORE, LAST = 0, 1
