import { lookup } from 'node:dns/promises'
import type { FastifyInstance, FastifyListenOptions } from 'fastify'

/**
 * Connections that the system takes while this process is busy, if its own limit (`net.core.somaxconn`) allows. Of Node's
 * 511, a fleet that comes back at once fills the queue: who finds it full tries again only after a second.
 */
const BACKLOG = 4096

/**
 * Opens a server on one address. Where the host is `localhost`, Fastify would bind a second server
 * of its own to the other address of that name, which has none of the listeners of the first: it
 * answers what is not HTTP without our body and id, and no stop cuts its connections.
 * @param host a name, of which the first address is taken, an IPv4 one where there is any; or an address
 * @throws {Error} Node's own, by its `syscall` and `code`
 */
export async function listen (server: FastifyInstance, { host, ...options }: FastifyListenOptions & { readonly host: string }): Promise<void> {
  const { address } = await lookup(host, { order: 'ipv4first' })
  await server.listen({ ...options, host: address, backlog: BACKLOG })
}
