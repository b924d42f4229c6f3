import t from 'tap'
import { parsePrometheusText } from '../helpers/prometheus-text.js'

const HEAD = '# HELP a_total Things\n# TYPE a_total counter\n'
const HISTOGRAM = '# HELP h Times\n# TYPE h histogram\n'

t.test('the parser of these tests reads names, labels and values', async t => {
  const families = parsePrometheusText(`${HEAD}a_total{x="1",y="a \\"b\\" \\\\ c\\nd, e=}"} 2.5\na_total{x="",y="b"} 1e-7\n\n# HELP g Now\n# TYPE g gauge\ng +Inf\n`)
  t.strictSame([...families.values()], [
    {
      name: 'a_total',
      help: 'Things',
      type: 'counter',
      samples: [
        { name: 'a_total', labels: { x: '1', y: 'a "b" \\ c\nd, e=}' }, value: 2.5 },
        { name: 'a_total', labels: { x: '', y: 'b' }, value: 1e-7 }
      ]
    },
    { name: 'g', help: 'Now', type: 'gauge', samples: [{ name: 'g', labels: {}, value: Infinity }] }
  ])
  t.equal(parsePrometheusText(`${HISTOGRAM}h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n`).get('h')?.samples.length, 4)
})

t.test('the parser of these tests throws where Prometheus would, and where a metric makes no sense', async t => {
  for (const text of [
    `${HEAD}a_total 1`,
    'a_total 1\n',
    '# TYPE a_total counter\n# HELP a_total Things\na_total 1\n',
    '# HELP a Things\n# TYPE a counter\na 1\n',
    '# HELP a_total Things\n# TYPE b_total counter\nb_total 1\n',
    '# HELP a Things\n# TYPE a colour\na 1\n',
    `${HEAD}b_total 1\n`,
    `${HEAD}a_total one\n`,
    `${HEAD}a_total -1\n`,
    `${HEAD}a_total 1 2 3\n`,
    `${HEAD}a_total{x=1} 1\n`,
    `${HEAD}a_total{x="a"b"} 1\n`,
    `${HEAD}a_total{x="a\\t"} 1\n`,
    `${HEAD}a_total{x="a" y="b"} 1\n`,
    `${HEAD}a_total{x="a",x="b"} 1\n`,
    `${HEAD}a_total{x="a",y="b"} 1\na_total{y="b",x="a"} 1\n`,
    `${HEAD}a_total 1\n\n${HEAD}a_total{x="a"} 1\n`,
    `${HISTOGRAM}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 3\nh_count 1\n`,
    `${HISTOGRAM}h_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 3\nh_count 1\n`,
    `${HISTOGRAM}h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 3\nh_count 2\n`,
    `${HISTOGRAM}h_bucket{le="1"} 1\nh_sum 3\nh_count 1\n`,
    `${HISTOGRAM}h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_count 1\n`
  ]) t.throws(() => parsePrometheusText(text), text)
})
