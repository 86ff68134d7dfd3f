"""The library's own suites, run against our recorder and factory."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteDatastore, SQLiteProcessRecorder, SQLiteTrackingRecorder
from eventsourcing.tests.persistence import (
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
    TrackingRecorderTestCase,
)
from eventsourcing.utils import Environment

from storage.recorders import EnvelopeFactory, EnvelopeRecorder


class OnDisk(unittest.TestCase):
    def setUp(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self.path = str(Path(self._directory.name) / "events.sqlite")
        super().setUp()

    def tearDown(self) -> None:
        super().tearDown()
        self._directory.cleanup()

    def recorder(self) -> EnvelopeRecorder:
        recorder = EnvelopeRecorder(SQLiteDatastore(db_name=self.path))
        recorder.create_table()
        return recorder


class TestApplicationRecorder(OnDisk, ApplicationRecorderTestCase):
    def create_recorder(self) -> EnvelopeRecorder:
        return self.recorder()

    def close_db_connection(self, *args: object) -> None:
        """Nothing is held for each thread."""


class TestNotificationIds(OnDisk, NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> EnvelopeRecorder:
        return self.recorder()


class TestTrackingRecorder(OnDisk, TrackingRecorderTestCase):
    def create_recorder(self) -> SQLiteTrackingRecorder:
        recorder = SQLiteTrackingRecorder(SQLiteDatastore(db_name=self.path))
        recorder.create_table()
        return recorder


class TrackingSubclass(SQLiteTrackingRecorder):
    pass


class TestFactory(OnDisk, InfrastructureFactoryTestCase):
    def setUp(self) -> None:
        self.env = Environment("Test")
        self.env[EnvelopeFactory.PERSISTENCE_MODULE] = "storage.recorders"
        self.env[EnvelopeFactory.SQLITE_DBNAME] = ":memory:"
        super().setUp()

    def expected_factory_class(self) -> type[EnvelopeFactory]:
        return EnvelopeFactory

    def expected_aggregate_recorder_class(self) -> type[SQLiteAggregateRecorder]:
        return SQLiteAggregateRecorder

    def expected_application_recorder_class(self) -> type[EnvelopeRecorder]:
        return EnvelopeRecorder

    def expected_tracking_recorder_class(self) -> type[SQLiteTrackingRecorder]:
        return SQLiteTrackingRecorder

    def tracking_recorder_subclass(self) -> type[SQLiteTrackingRecorder]:
        return TrackingSubclass

    def expected_process_recorder_class(self) -> type[SQLiteProcessRecorder]:
        return SQLiteProcessRecorder


# Imported bases would be collected as tests of their own.
del ApplicationRecorderTestCase, InfrastructureFactoryTestCase
del NonInterleavingNotificationIDsBaseCase, TrackingRecorderTestCase
