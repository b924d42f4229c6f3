import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Scope } from '../helpers/scope.js'
import { createPipe, HOLD, PASS, SWALLOW, type Pipe, type PipeMode } from './pipe.js'
import type { Recorder } from './recorder.js'
import type { Fault, FaultEnd, FaultKind } from './schedule.js'
import type { Timeline } from './timeline.js'

/** What a link needs to know and to tell. */
export interface LinkOptions {
  readonly brokerPort: number
  readonly recorder: Recorder
  readonly timeline: Timeline
}

/** A fault as the link needs it. */
export type LinkFault = Pick<Fault, 'kind' | 'end' | 'delayMs' | 'bytesPerMs'>

interface Connection {
  readonly number: number
  readonly near: Socket
  readonly far: Socket
  readonly up: Pipe
  readonly down: Pipe
}

/** What each way does while a fault lasts. */
interface Modes {
  readonly up: PipeMode
  readonly down: PipeMode
}

export type Link = Awaited<ReturnType<typeof startLink>>

/** A TCP link between server and broker that has one fault at a time, or none. */
export async function startLink (scope: Scope, { brokerPort, recorder, timeline }: LinkOptions) {
  const connections = new Set<Connection>()
  const frozen = new Set<Connection>()
  let sound: Modes = { up: PASS, down: PASS }
  let modes = sound
  let refuses = false

  const server = createServer({ noDelay: true }, near => {
    near.on('error', () => {})
    if (refuses) near.resetAndDestroy()
    else join(near)
  })

  /** Ties a connection of the server to one of its own to the broker. */
  function join (near: Socket): void {
    const far = connect({ port: brokerPort, host: '127.0.0.1', noDelay: true })
    const { connection: number, toBroker, fromBroker, toServer } = recorder.listen(() => {
      // The server may have given it up while the broker made up its mind.
      if (!near.destroyed && !frozen.has(connection)) timeline.connected(number)
    })
    const up = createPipe({
      write (chunk) {
        if (far.destroyed) return
        toBroker(chunk)
        far.write(chunk)
      },
      end () { far.end() }
    }, modes.up)
    const down = createPipe({
      write (chunk) {
        if (near.destroyed) return
        toServer(chunk)
        near.write(chunk)
      },
      end () { near.end() }
    }, modes.down)
    const connection: Connection = { number, near, far, up, down }
    connections.add(connection)

    near.on('data', chunk => { up.push(chunk) })
    far.on('data', chunk => {
      fromBroker(chunk)
      down.push(chunk)
    })
    far.on('error', () => {})
    near.on('close', () => {
      timeline.disconnected(number)
      up.end()
      forgetClosed(connection)
    })
    far.on('close', () => {
      timeline.disconnected(number)
      down.end()
      forgetClosed(connection)
    })
  }

  function forgetClosed (connection: Connection): void {
    if (connection.near.destroyed && connection.far.destroyed) connections.delete(connection)
  }

  function setModes (next: Modes): void {
    modes = next
    for (const connection of connections) {
      if (frozen.has(connection)) continue
      connection.up.setMode(next.up)
      connection.down.setMode(next.down)
    }
  }

  function cut (connection: Connection, delivers: boolean): void {
    timeline.disconnected(connection.number)
    connection.near.resetAndDestroy()
    if (delivers) {
      connection.up.setMode(PASS)
      connection.up.end()
    } else {
      connection.up.discard()
      connection.far.destroy()
    }
  }

  /** Begins a fault. */
  function begin (fault: LinkFault): void {
    timeline.begin(fault.kind)
    if (fault.kind === 'cut') {
      refuses = true
      cutAll(fault.end)
    } else {
      setModes(modesOf(fault.kind, fault))
    }
  }

  /** Makes the sound link so slow, each way, in milliseconds. That is no fault: a window of publishes gets through in each round trip. */
  function setLatency (ms: number): void {
    sound = modesOf('delay', { delayMs: ms, bytesPerMs: 0 })
    setModes(sound)
  }

  /** Ends the fault that {@link begin} began: connections made from now on are sound. */
  function finish ({ kind, end }: LinkFault): void {
    refuses = false
    if (kind !== 'cut' && end !== 'heal') cutAll(end)
    // What lost bytes can only be cut: the rest of its stream makes no sense.
    for (const connection of connections) {
      if (!frozen.has(connection) && (connection.up.hasLost || connection.down.hasLost)) cut(connection, false)
    }
    setModes(sound)
    timeline.end()
  }

  function cutAll (end: FaultEnd): void {
    for (const connection of connections) {
      if (!frozen.has(connection)) cut(connection, end === 'cut-late')
    }
  }

  /** Cuts every connection there is. New ones are sound at once. */
  function sever (): void {
    timeline.begin('last-cut')
    cutAll('cut')
    timeline.end()
  }

  /** Makes every connection there is half-open for ever: nothing passes, nothing is closed. New ones are sound. */
  function freeze (): void {
    timeline.begin('half-open')
    for (const connection of connections) {
      frozen.add(connection)
      connection.up.setMode(SWALLOW)
      connection.down.setMode(SWALLOW)
      timeline.disconnected(connection.number)
    }
    timeline.end()
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.teardown(() => {
    server.close()
    for (const { near, far } of connections) {
      near.destroy()
      far.destroy()
    }
  })
  const { port } = server.address() as AddressInfo
  return { url: `mqtt://127.0.0.1:${port}`, begin, finish, sever, freeze, setLatency }
}

function modesOf (kind: Exclude<FaultKind, 'cut'>, { delayMs, bytesPerMs }: Pick<Fault, 'delayMs' | 'bytesPerMs'>): Modes {
  switch (kind) {
    case 'stall-up': return { up: HOLD, down: PASS }
    case 'stall-down': return { up: PASS, down: HOLD }
    case 'swallow': return { up: PASS, down: SWALLOW }
    case 'delay': return bothWays({ kind: 'delay', ms: delayMs })
    case 'drip': return bothWays({ kind: 'drip', bytesPerMs })
  }
}

function bothWays (mode: PipeMode): Modes {
  return { up: mode, down: mode }
}
