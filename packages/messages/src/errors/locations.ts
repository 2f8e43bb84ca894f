import { catalog } from '../catalog.ts'

/** Errors about Locations. */
export const locationErrors = catalog({
  en: {
    location_slug_taken: 'There is a Location {slug} already.',
    location_unknown: 'There is no Location {location}. See which there are: "slipway location list".',
    location_empty:
      'Location {location} has no Cluster. Put one into it: "slipway location assign <cluster> {location}".',
    location_elsewhere: 'Cluster {cluster} is not in Location {location}. Name only one of the two.',
    location_not_granted:
      'Location {location} is for Projects that are granted it. Ask for it: "slipway location request {location} --project <project>".',
    location_grant_ended:
      'The grant of Location {location} for this Project ended at {until}. Ask for it again: "slipway location request {location} --project <project>".',
    location_until_past: 'A grant ends in the future. Name a later moment, or none.',
    location_in_use: 'Clusters are in this Location. Put them into another one first.',
    location_default: 'This is the default Location. Make another one the default first.',
    location_not_restricted: 'Location {location} is open to every Project: nothing is to be asked for.',
    location_asked_already:
      'This Project has asked for Location {location} already ({state}). See "slipway location grants".',
  },
  'zh-CN': {
    location_slug_taken: '已存在区域 {slug}。',
    location_unknown: '没有区域 {location}。查看已有区域：“slipway location list”。',
    location_empty: '区域 {location} 没有集群。请加入一个集群：“slipway location assign <集群> {location}”。',
    location_elsewhere: '集群 {cluster} 不在区域 {location} 中。请只指定其中之一。',
    location_not_granted:
      '区域 {location} 仅供获得授权的项目使用。请申请：“slipway location request {location} --project <项目>”。',
    location_grant_ended:
      '该项目对区域 {location} 的授权已于 {until} 到期。请重新申请：“slipway location request {location} --project <项目>”。',
    location_until_past: '授权的结束时间必须在将来。请给出更晚的时间，或不设结束时间。',
    location_in_use: '仍有集群在该区域中，请先将它们移到其他区域。',
    location_default: '这是默认区域，请先指定另一个默认区域。',
    location_not_restricted: '区域 {location} 对所有项目开放，无需申请。',
    location_asked_already: '该项目已申请过区域 {location}（{state}）。请查看“slipway location grants”。',
  },
})
