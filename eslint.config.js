import neostandard, { plugins } from 'neostandard'

const { plugin: typescript } = plugins['typescript-eslint']

export default [
  ...neostandard({ ts: true, ignores: ['dist', '.bench', '.clients', '.cluster', '.compiled', '.faults', '.fuzz', '.tap', 'docs/.vitepress/cache', 'docs/.vitepress/dist', 'docs/.vitepress/.temp'] }),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { '@typescript-eslint': typescript },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': ['error', {
        // tap waits for its subtests by itself.
        allowForKnownSafePromises: [{ from: 'package', name: 'PromiseWithSubtest', package: '@tapjs/core' }]
      }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/no-non-null-assertion': 'error',
      // A schema and its type share one name; the compiler finds real redeclarations.
      '@typescript-eslint/no-redeclare': 'off',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error'
    }
  },
  {
    files: ['src/**'],
    ignores: ['src/mqtt/connection.ts', 'src/cli/device/link.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-imports': ['error', { paths: ['mqtt', 'async-mqtt'].map(name => ({ name, message: 'src/mqtt/connection.ts alone speaks to MQTT.js' })) }]
    }
  }
]
