import t from 'tap'
import { skipWithoutMosquitto } from '../helpers/mosquitto.js'
import { runProgram } from '../helpers/program.js'
import { paste } from '../helpers/shell.js'
import { LIMIT_MS, lineOf, startAll } from './setup.js'

t.test('npm run load counts real answers by status', { skip: skipWithoutMosquitto }, async t => {
  const { cwd, url, urlWithoutBroker, device } = await startAll(t)
  const line = (to: string) => lineOf('load', to).replace('--duration 5', '--duration 1')
  const load = paste(t, line(url), cwd)
  t.equal(await load.exit(LIMIT_MS), 0, load.output.all)
  t.match(load.output.all, `Running 1s test @ ${url}/messaging/send\n10 connections`)
  t.match(load.output.stdout, /^answer +how many\n200 OK +[1-9]\d*\n\nlatency +ms\n50 % within +[\d.]+\n90 % within .*\n99 % within .*\n99\.9 % within .*\nlongest .*\n\n\d+ answers\/s\n$/)
  await device.says('push_down')

  const refused = paste(t, line(urlWithoutBroker).replace('npm run -s load --', 'node .bench/bench/load-server.js'), cwd)
  t.equal(await refused.exit(LIMIT_MS), 1)
  t.match(refused.output.stdout, /^answer +how many\n406 Not Acceptable +[1-9]\d*\n/)
})

t.test('the programs say what is wrong with a command line', async t => {
  const cases = [
    ['test/clients/run.ts', [], /^name one of postman, hoppscotch\n/],
    ['test/clients/run.ts', ['postman'], /^--url is missing\n/],
    ['test/clients/run.ts', ['postman', '--url', 'nowhere'], /^nowhere is not a URL\n/],
    ['bench/load-server.ts', ['--url', 'http://127.0.0.1:1/messaging/send'], /must be http:\/\/ or https:\/\/ and a host, without a path\n/],
    ['bench/load-server.ts', ['--url', 'http://127.0.0.1:1', '--connections', '0'], /^--connections must be a whole number, 1 to 10000\n/],
    ['bench/load-server.ts', ['--url', 'http://127.0.0.1:1'], /^there is no secret yet: start the messenger once/]
  ] as const
  for (const [file, args, message] of cases) {
    const program = runProgram(t, file, { args })
    t.equal((await program.exit()).code, 1)
    t.match(program.output.stderr, message)
    t.match(program.output.stderr, /^Usage: npm run -s /m)
  }
})
