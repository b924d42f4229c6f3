import type { Report } from './report.js'

const WIDTH = 760
const ROW = 26
const LEFT = 250
const RIGHT = 120
const TOP = 56

/** The CPU of each contender as bars, as an SVG: the messenger's in another colour, the goal as a line. */
export function drawResults ({ machine, rounds: { subjects } }: Report): string {
  const height = TOP + subjects.length * ROW + 34
  const most = Math.max(...subjects.map(({ cpuUs }) => cpuUs))
  const scale = (us: number): string => (us / most * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const bars = subjects.map(({ name, cpuUs, cpuRatio }, row) => {
    const y = TOP + row * ROW
    const colour = name.startsWith('messenger') ? '#0b7285' : '#adb5bd'
    return [
      `<text x="${LEFT - 8}" y="${y + 15}" text-anchor="end">${escape(name)}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${scale(cpuUs)}" height="${ROW - 6}" rx="2" fill="${colour}"/>`,
      `<text x="${LEFT + Number(scale(cpuUs)) + 6}" y="${y + 15}">${cpuUs.toFixed(1)} µs, ${cpuRatio.toFixed(2)} x</text>`
    ].join('')
  })
  const { connections, algorithm, node, cpu, cores } = machine
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#212529">
<title>CPU of the server for each command</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="12" y="24" font-size="16" font-weight="600">CPU of the server for each command; less is better</text>
<text x="12" y="43" fill="#495057">median over rounds; x: against bare Fastify in the same round; ${connections} connections, ${algorithm}</text>
${bars.join('\n')}
<text x="12" y="${height - 12}" fill="#868e96">Node ${escape(String(node))}, server on one core of ${cores}, ${escape(String(cpu))}</text>
</svg>
`
}

function escape (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
