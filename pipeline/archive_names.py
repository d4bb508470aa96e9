"""An archived document by what a person calls it: its id, or a file name that no other has."""

from storage.errors import NotFound
from storage.records import Records
from storage.rows import ArchiveRecord


def archived_as(records: Records, archive_id: str) -> ArchiveRecord:
    """Return an archive record by its id, or by a file name that no other archived document has.

    Raises:
        NotFound: nothing is archived under that id, or several documents under that name.
    """
    try:
        return records.archive_of(archive_id)
    except NotFound:
        hits = records.find_archives(file=archive_id, limit=2)
        if not hits:
            raise NotFound(
                f"nothing is archived under {archive_id}; give the id, or the file's whole name with its "
                "folders, as `archive find` lists them",
                zh=f"没有编号或文件名为“{archive_id}”的档案；请用 archive find 查编号，"
                "或写带文件夹的完整文件名",
            ) from None
    if len(hits) > 1:
        raise NotFound(
            f"several archived documents are named {archive_id}; find them, and give the id of one",
            zh=f"名为“{archive_id}”的档案有多份，请先检索，再用编号指定其中一份",
        )
    return hits[0].archive
