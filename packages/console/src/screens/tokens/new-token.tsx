import { Button, Form, Input, InputNumber, Modal, Select } from 'antd'
import { useState } from 'react'

import type { Organization } from '@slipway/contract'

import { useChange } from '../../data/queries.ts'
import { useText } from '../../preferences/text.ts'
import { Code } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Shape } from '../../ui/status.tsx'

type NewProps = { readonly organizations: readonly Organization[]; readonly close: () => void }

const ANY = '*'
const DAYS_DEFAULT = 90
const DAYS_MAX = 366

/** Makes a token, and shows its secret this one time. */
export function NewToken({ organizations, close }: NewProps) {
  const { text } = useText()
  const [name, setName] = useState('')
  const [days, setDays] = useState(DAYS_DEFAULT)
  const [place, setPlace] = useState(ANY)
  const [secret, setSecret] = useState<string>()
  const create = useChange('createToken', (made) => setSecret(made.secret))
  const slug = organizations.find(({ id }) => id === place)?.slug
  if (secret !== undefined)
    return (
      <Modal
        open
        title={text('token.made')}
        width={560}
        onCancel={close}
        // A click beside it would lose the secret.
        mask={{ closable: false }}
        keyboard={false}
        footer={
          <Button type="primary" onClick={close}>
            {text('common.close')}
          </Button>
        }
      >
        <div className="dialog">
          <p>
            <Shape tone="warn" /> {text('token.once')}
          </p>
          <p className="secret">
            <Code value={secret} />
          </p>
        </div>
      </Modal>
    )
  return (
    <Dialog
      title={text('token.new')}
      confirm={text('common.create')}
      command={`token create ${JSON.stringify(name || '<name>')}${slug === undefined ? '' : ` --organization ${slug}`}`}
      isPending={create.isPending}
      error={create.error}
      close={close}
      act={() =>
        create.mutate({
          name: name.trim(),
          expiresInDays: days,
          ...(place === ANY ? {} : { organizationId: place }),
        })
      }
    >
      <Form layout="vertical" component="div">
        <Form.Item label={text('common.name')} extra={text('token.nameHelp')} htmlFor="token-name">
          <Input
            id="token-name"
            autoFocus
            maxLength={120}
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
        </Form.Item>
        <Form.Item label={text('token.organization')} htmlFor="token-place">
          <Select<string>
            id="token-place"
            value={place}
            onChange={setPlace}
            options={[
              { value: ANY, label: text('token.organizationAny') },
              ...organizations.map((one) => ({ value: one.id, label: one.name })),
            ]}
          />
        </Form.Item>
        <Form.Item label={text('token.days')} htmlFor="token-days">
          <InputNumber
            id="token-days"
            controls={false}
            min={1}
            max={DAYS_MAX}
            precision={0}
            value={days}
            onChange={(value) => setDays(value ?? DAYS_DEFAULT)}
          />
        </Form.Item>
      </Form>
    </Dialog>
  )
}
