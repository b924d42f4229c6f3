import t from 'tap'
import { testClient } from './setup.js'

testClient(t, 'postman')
