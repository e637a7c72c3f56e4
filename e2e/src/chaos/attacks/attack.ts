import type { FaultProxy, ServiceProcess } from '@millrace/testing';
import type { Experiment } from '../experiment/experiment-schema.ts';

/** A service that an attack can reach. */
export type ServiceName = Experiment['services'][number];

/** A dependency behind a proxy. */
export type PartName = 'kafka' | 'redis' | 's3' | 'glue';

/** The durable files of a service, and their copies, which its preloaded module makes at each fsync. */
export interface PoweredFolder {
  readonly folder: string;
  readonly copies: string;
}

/** The experimental group, as attacks see it. */
export interface AttackScene {
  readonly proxies: Readonly<Record<PartName, FaultProxy>>;
  /** Processes of a service; `query` has two. */
  processesOf(service: ServiceName): readonly ServiceProcess[];
  /** Directory of the small disk of a service, by the path that other processes use; undefined where the service has none. */
  diskOf(service: ServiceName): string | undefined;
  /** Durable files of a service whose power can be cut; undefined where the service does not preload the module for it. */
  poweredFolderOf(service: ServiceName): PoweredFolder | undefined;
  /** Directory of the group. Services keep their spool and outbox in it. */
  readonly home: string;
  /** File that the preloaded module of the services reads: the offset of the clock and the answers of DNS. */
  readonly distortionFile: string;
  /** Lines that the preloaded module of the services writes, one for each distorted call. */
  readonly distortionLog: string;
  /** Swaps the certificate of the front of S3; undefined where S3 has none. */
  readonly certificates: { present(kind: 'valid' | 'expired'): void; readonly refusedHandshakes: number } | undefined;
}

/** Whether an attack took effect, and how that is known. */
export interface Effect {
  readonly tookEffect: boolean;
  readonly proof: string;
}

/** An attack that has begun. */
export interface RunningAttack {
  /** Ends the attack and undoes it. The second call returns the same. */
  end(): Promise<Effect>;
}

/** Values of an attack. */
export type AttackArguments = Readonly<Record<string, number | string>>;

/** Begins an attack. It ends by itself after its time, and with the runner. */
export type Attack = (
  scene: AttackScene,
  plan: Readonly<{ target: string; seconds: number; args: AttackArguments }>,
) => Promise<RunningAttack>;

/** A number among the values of an attack. @throws Error when it is missing */
export function numberOf(args: AttackArguments, name: string, fallback?: number): number {
  const value = args[name] ?? fallback;
  if (typeof value !== 'number') throw new Error(`The attack needs the number "${name}" among its arguments.`);
  return value;
}

/** An attack whose end is called at most once, after its time at the latest. */
export function boundedAttack(seconds: number, end: () => Promise<Effect>): RunningAttack {
  let ended: Promise<Effect> | undefined;
  const once = async (): Promise<Effect> => await (ended ??= end());
  const timer = setTimeout(() => void once().catch(() => undefined), seconds * 1000);
  return {
    end: async () => {
      clearTimeout(timer);
      return await once();
    },
  };
}
