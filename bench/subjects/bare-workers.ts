// The yardstick in several processes: what that costs by itself, as each of them comes back to caches that the other has used.
import cluster from 'node:cluster'

if (cluster.isPrimary) {
  cluster.schedulingPolicy = cluster.SCHED_RR
  for (let n = 0; n < Number(process.env.WORKERS); n++) cluster.fork()
} else {
  await import('./bare-fastify.js')
}
