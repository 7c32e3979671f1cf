from phonoscope.v1 import auralisation_pb2 as _auralisation_pb2
from phonoscope.v1 import bundle_pb2 as _bundle_pb2
from phonoscope.v1 import explanation_pb2 as _explanation_pb2
from phonoscope.v1 import inversion_pb2 as _inversion_pb2
from phonoscope.v1 import maximisation_pb2 as _maximisation_pb2
from phonoscope.v1 import prediction_pb2 as _prediction_pb2
from phonoscope.v1 import track_pb2 as _track_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
