"""What went wrong, in one sentence for the operator."""

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from newswire.accounts.slugs import PartyError
from newswire.cli.support.listen import ListenError
from newswire.config import SettingsError
from newswire.errors import Problem
from newswire.store.backend import DatabaseError


def sentence(error: Exception) -> str | None:
    """The sentence for a failure that is not a defect; None for a defect, whose traceback is wanted."""
    match error:
        case PartyError() | DatabaseError() | SettingsError() | ListenError():
            return str(error)
        case Problem(__cause__=DBAPIError() as cause):
            return of_driver(cause)
        case Problem():
            return error.detail
        case OperationalError() | InterfaceError() | InternalError():
            return of_driver(error)
        case BrokenPipeError():
            return None
        case OSError(filename=str() as name, strerror=str() as reason):
            return f"{name}: {reason}."
        case OSError(strerror=str() as reason):
            return f"{reason}."
    return None


def of_driver(error: DBAPIError) -> str:
    reason = str(error.orig).strip().splitlines()[0].rstrip(".")
    return f"The database cannot be used at the moment: {reason}."
