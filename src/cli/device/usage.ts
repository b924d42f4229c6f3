import { DEMO_FILE } from '../../demo.js'
import { DEFAULT_REPLY } from './answer.js'

/** What `--help` prints, and what follows each complaint about the command line. */
export const USAGE = `Usage: npm run -s device -- <imei> [options]

Is a device, or many: subscribes to the topic of its imei, prints each command it gets as
"<time> <topic> <payload>", and answers those that ask for an answer. Connects to the first
broker of MQTT_URL or, in demo mode, to the one in ${DEMO_FILE}. Ctrl-C ends it.

  --count N              so many devices, <imei>-1 to <imei>-N, with as many digits as N has;
                         their commands are counted, not printed (default: 1)
  --print                print the commands of many devices too
  --protocol 5|3.1.1     MQTT version of the devices (default: MQTT_PROTOCOL)
  --claim KEY=VALUE      a claim that MQTT_TOPIC has, as callers have it in their tokens; may be
                         repeated (default: as npm run -s token has it)
  --username NAME        user at the broker; {imei} stands for that of each device (default:
                         MQTT_USERNAME, with MQTT_PASSWORD)
  --password TEXT        the password of --username, likewise

  --reply TEXT           the answer, JSON or text; {imei}, {micro_op} and {id} stand for those of
                         the command (default: ${DEFAULT_REPLY})
  --reply-rate R         share of the commands that are answered, 0 to 1 (default: 1)
  --reply-delay MS       time until the answer, or MIN-MAX for a random one (default: 0)

  --persistent           a session that outlives its connections: the broker keeps commands for a
                         device that is away. Its client identifier is its imei
  --offline-every S      each device loses its connection about every S seconds ...
  --offline-for S        ... for so long (default: 5)
  --help                 this text
`
