import type { IClientOptions } from 'mqtt'

/** Variables of the messenger. */
export type Env = Readonly<Record<string, string>>

/** A broker that runs, set up as the operators' page says. */
export interface Broker {
  readonly url: string
  /** What the messenger is started with, beside the URL. */
  readonly env: Env
  /** How the device of the documented example connects: user name and client identifier are its `imei`. */
  readonly device: IClientOptions
  /** The same of another device, {@link OTHER}. */
  readonly other: IClientOptions
  /** How somebody connects who may read everything. */
  readonly auditor: IClientOptions
  /** Product and version, e.g. `Mosquitto 2.0.11`. */
  readonly version: string
  start(): Promise<void>
  stop(): Promise<void>
  /** The same device and messenger under a policy by which the broker itself drops after a second what waits for a device. */
  readonly policy?: { readonly env: Env, readonly device: IClientOptions }
  /** Starts another one that takes no packet of more bytes than this. */
  startWithMaximum?(bytes: number): Promise<{ readonly url: string }>
}

/** The `imei` of the second device. */
export const OTHER = 'other'

/** Who may read everything; no user of the page. */
export const AUDITOR = { username: 'auditor', password: 'of the auditor' }
