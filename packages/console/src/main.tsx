import { createRoot } from 'react-dom/client'

import { must } from '@slipway/kit'

import { App } from './app/app.tsx'
import { markOwnStyles } from './app/nonce.ts'
import './theme/base.css'
import './theme/shell.css'
import './theme/parts.css'
import './theme/run.css'
import './theme/timeline.css'
import './theme/waiting.css'

const nonce = markOwnStyles()
createRoot(must(document.querySelector('#root'), 'the page has a root')).render(<App nonce={nonce} />)
