"""Opening the database and one transaction on it, with the database's errors in this room's words."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import URL, make_url

from storage.errors import Corrupt, RecordRefused, StorageError, StoreUnavailable

BUSY_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10
_WRITES = "sealine_writes"
_SQLITE_SILENT = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_PERM,
    }
)
_SQLITE_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Database:
    """A pool of connections. Open one in each process: connections do not survive a fork."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def dialect(self) -> str:
        """'sqlite' or 'postgresql'."""
        return self._engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One consistent look at the records.

        Raises:
            StoreUnavailable: the database does not answer.
            Corrupt: the file is damaged.
        """
        with translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that may write: all of it is kept, or none.

        Raises:
            StoreUnavailable: the database does not answer, or another writer holds it too long.
            RecordRefused: a constraint forbids what was written.
            Corrupt: the file is damaged.
        """
        with (
            translated(),
            self._engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engine.dispose()


def open_database(url: str) -> Database:
    """Return a database for `sqlite:///path` or `postgresql://…`. Nothing is connected yet but SQLite's file.

    Raises:
        StorageError: a URL of another kind, or one that cannot be read.
        StoreUnavailable: SQLite's file cannot be opened.
    """
    path = url.removeprefix("sqlite:///")  # as it stands: a home folder may have "?" or "%" in its name
    if path != url:
        return _open_sqlite(URL.create("sqlite", database=path))
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise _unknown_kind() from error
    if parsed.get_backend_name() == "postgresql":
        return _open_postgres(parsed)
    raise _unknown_kind()


def _unknown_kind() -> StorageError:
    return StorageError(
        "the records' address is neither sqlite:///path nor postgresql://…; correct the setting",
        zh="记录库地址既不是 sqlite:///路径 也不是 postgresql://…，请更正设置",
    )


def _open_sqlite(url: URL) -> Database:
    if url.database in (None, "", ":memory:"):
        raise StorageError(
            "records need a file: sqlite:///path (in memory they would be lost)",
            zh="记录库需要文件：sqlite:///路径（内存库会丢失）",
        )
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S}, pool_size=8, max_overflow=8)

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours, below
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}")
        _use_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA trusted_schema=OFF")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"the folder of the records cannot be made ({error.strerror}); check the home folder",
            zh="无法创建记录库所在文件夹，请检查主目录",
        ) from error
    return Database(engine)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. Only the first opener ever switches; SQLite does not wait for others while it does."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            if connection.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",):
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
        if time.monotonic() > deadline:
            raise _silent("it does not switch to WAL")
        time.sleep(0.01)


def _open_postgres(url: URL) -> Database:
    return Database(
        sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
            pool_size=8,
            max_overflow=8,
            pool_pre_ping=True,
        )
    )


@contextmanager
def translated() -> Iterator[None]:
    """Say the database's errors in this room's words; values that were written are not repeated."""
    try:
        yield
    except exc.StatementError as error:
        raised = _translate(error)
        if raised is None:
            raise
        raise raised from error
    except exc.TimeoutError as error:
        raise _silent("no connection is free") from error
    except sqlite3.Error as error:  # raised while a connection is prepared
        raised = _translate_sqlite(error)
        if raised is None:
            raise
        raise raised from error


def _translate(error: exc.StatementError) -> StorageError | None:
    cause = error.orig
    if isinstance(cause, StorageError):
        return cause
    if isinstance(error, exc.IntegrityError | exc.DataError):
        fact = _constraint(cause)
        return RecordRefused(
            f"the records refuse this: {fact}; nothing was written",
            zh=f"记录库拒绝写入：{fact}；未写入任何内容",
        )
    if isinstance(cause, sqlite3.Error):
        return _translate_sqlite(cause)
    if isinstance(error, exc.OperationalError | exc.InterfaceError):
        return _silent(type(cause).__name__)
    return None


def _translate_sqlite(cause: sqlite3.Error) -> StorageError | None:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code in _SQLITE_BROKEN:
        return Corrupt(
            "the records' file is damaged; restore it from a backup and verify the event chain",
            zh="记录库文件已损坏，请从备份恢复并核验事件链",
        )
    return _silent(cause.sqlite_errorname) if code in _SQLITE_SILENT else None


def _constraint(cause: BaseException | None) -> str:
    diagnosis = getattr(cause, "diag", None)  # psycopg: the message's DETAIL would repeat values
    if diagnosis is not None:
        return str(diagnosis.constraint_name or diagnosis.message_primary or "a constraint")
    return str(cause)


def _silent(why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the database does not answer ({why}); try again, and check that it runs and its disk has room",
        zh=f"数据库无响应（{why}），请稍后重试，并检查其是否运行、磁盘是否有空间",
    )
