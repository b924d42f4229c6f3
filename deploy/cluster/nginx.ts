import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/helpers/ports.js'
import { runGroup } from '../../test/helpers/rabbitmq.js'
import type { Scope } from '../../test/helpers/scope.js'
import { until } from '../../test/helpers/until.js'

/** On a busy machine, in milliseconds. */
const START_MS = 30_000

/** What somebody would run in front of several replicas, see README.md for each line. */
const config = (dir: string, port: number, replicas: readonly number[]) => `
daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/nginx-error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${dir}/nginx-body;
  proxy_temp_path ${dir}/nginx-proxy;
  fastcgi_temp_path ${dir}/nginx-fastcgi;
  uwsgi_temp_path ${dir}/nginx-uwsgi;
  scgi_temp_path ${dir}/nginx-scgi;

  map $http_x_request_id $forwarded_request_id {
    default $http_x_request_id;
    "" $request_id;
  }
  upstream messenger {
${replicas.map(replica => `    server 127.0.0.1:${replica} max_fails=1 fail_timeout=2s;`).join('\n')}
    keepalive 64;
  }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 100000;
    location / {
      proxy_pass http://messenger;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Request-Id $forwarded_request_id;
      proxy_next_upstream off;
      proxy_connect_timeout 2s;
      proxy_read_timeout 75s;
    }
  }
}
`

/** Debian's nginx in front of the replicas, on a free loopback port, stopped with the scope. */
export async function startNginx (scope: Scope, dir: string, replicas: readonly number[]) {
  const port = await freePort()
  const file = join(dir, 'nginx.conf')
  writeFileSync(file, config(dir, port, replicas))
  const nginx = runGroup('nginx', ['-p', dir, '-c', file, '-e', join(dir, 'nginx-error.log')], { PATH: `${process.env.PATH}:/usr/sbin` })
  scope.teardown(() => nginx.stop('SIGTERM'))
  // It writes its number once it listens.
  await until(() => nginx.ended || existsSync(join(dir, 'nginx.pid')), 'the start of nginx', START_MS)
  if (nginx.ended) throw new Error(`nginx ended: ${nginx.said}`)
  return { port, url: `http://127.0.0.1:${port}` }
}
