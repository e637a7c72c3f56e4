/** Events of the sink, for logs and metrics. WARN: nothing is lost. ERROR: an operator is needed. */
export type SinkEvent =
  | { readonly type: 'LaneStarted'; readonly partition: number; readonly position: number; readonly low: number; readonly high: number }
  | { readonly type: 'LaneStopped'; readonly partition: number; readonly reason: string }
  | { readonly type: 'LaneRefused'; readonly partition: number; readonly error: Error }
  | {
      readonly type: 'RecordsTaken';
      readonly partition: number;
      readonly rows: number;
      readonly rejects: number;
      readonly duplicates: number;
      readonly bytes: number;
    }
  | {
      readonly type: 'BatchSealed';
      readonly partition: number;
      readonly id: string;
      readonly from: number;
      readonly to: number;
      readonly bytes: number;
      readonly files: number;
      readonly reason: string;
    }
  | {
      readonly type: 'BatchLanded';
      readonly partition: number;
      readonly id: string;
      readonly from: number;
      readonly to: number;
      readonly rows: number;
      readonly rejected: number;
      readonly bytes: number;
      readonly ageMs: number;
    }
  | {
      readonly type: 'BatchUndecodable';
      readonly partition: number;
      readonly from: number;
      readonly to: number | undefined;
      readonly reason: string;
    }
  | { readonly type: 'UndecodablePassed'; readonly partition: number; readonly from: number; readonly to: number }
  | { readonly type: 'GapRecorded'; readonly partition: number; readonly from: number; readonly to: number }
  | { readonly type: 'RaceLost'; readonly partition: number; readonly from: number; readonly winner: string }
  | { readonly type: 'SpoolAdopted'; readonly partition: number; readonly batches: number; readonly from: number; readonly to: number }
  | { readonly type: 'SpoolCorrupt'; readonly partition: number; readonly id?: string; readonly error: Error }
  | { readonly type: 'StagedAgain'; readonly partition: number; readonly id: string; readonly error: Error }
  | { readonly type: 'SnapshotFailed'; readonly partition: number; readonly error: Error }
  | { readonly type: 'PartitionPaused'; readonly partition: number; readonly reason: string }
  | { readonly type: 'PartitionResumed'; readonly partition: number }
  | { readonly type: 'StepFailed'; readonly partition: number; readonly step: string; readonly attempt: number; readonly error: Error };

/** Takes events as they happen. Must not throw. */
export type SinkObserver = (event: SinkEvent) => void;
