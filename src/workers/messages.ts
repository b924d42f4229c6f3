import type { MetricObjectWithValues, MetricValue } from 'prom-client'

/** Every series of one process at one time, as prom-client adds them up. */
export type Snapshot = ReadonlyArray<MetricObjectWithValues<MetricValue<string>>>

/** What the primary asks of a worker. */
export type Order =
  /** Answer what is under way, then end. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'scrape', readonly scrape: number }

/** What a worker tells the primary. */
export type Report =
  /** It listens. */
  | { readonly kind: 'started' }
  /** It cannot start; `text` is for the person who started the program. */
  | { readonly kind: 'failed', readonly text: string }
  /** Its figures; `scrape` is the number that was asked for, undefined at its end. */
  | { readonly kind: 'metrics', readonly scrape: number | undefined, readonly snapshot: Snapshot }
