import { defineEvent } from '@waybill/core';
import { z } from 'zod';
import { currency, id, itemIds, money, qlid, text, texts, timestamp, url } from './fields.ts';

/** Types of the events of listings, auctions, bids and sales. */
export const SalesEvents = {
  LISTING_CREATED: 'listing.created',
  LISTING_PUBLISHED: 'listing.published',
  ITEM_LISTED: 'item.listed',
  AUCTION_CREATED: 'auction.created',
  AUCTION_STARTED: 'auction.started',
  BID_PLACED: 'bid.placed',
  BID_WON: 'bid.won',
  ITEM_SOLD: 'item.sold',
} as const;

/** Definitions of the events in {@link SalesEvents}. */
export const salesDefinitions = [
  defineEvent({
    type: SalesEvents.LISTING_CREATED,
    description: 'An offer was drafted for a marketplace; buyers do not see it yet.',
    owner: 'quicklistz',
    schema: z.looseObject({
      listingId: id('Listing that was drafted'),
      itemId: id('Item on offer'),
      marketplace: text('Marketplace that it is meant for'),
      qlid: qlid().optional(),
      title: text('Title of the offer').optional(),
      condition: text('Condition as offered, in words').optional(),
      price: money('Asking price').optional(),
      currency: currency().optional(),
      createdBy: id('Person who drafted it').optional(),
    }),
  }),
  defineEvent({
    type: SalesEvents.LISTING_PUBLISHED,
    description: 'An offer went live on its marketplace.',
    owner: 'quicklistz',
    schema: z.looseObject({
      listingId: id('Listing that went live'),
      listingUrl: url('Address at which buyers find it'),
      price: money('Asking price'),
      currency: currency().optional(),
      itemId: id('Item on offer').optional(),
      qlid: qlid().optional(),
      marketplace: text('Marketplace that shows it').optional(),
      publishedAt: timestamp('When it went live').optional(),
    }),
  }),
  defineEvent({
    type: SalesEvents.ITEM_LISTED,
    description: 'An item was put up for sale on one or more channels.',
    owner: 'quicklistz',
    schema: z.looseObject({
      itemId: id('Item on offer'),
      channels: texts('Channels that offer it'),
      qlid: qlid().optional(),
      listingId: id('Listing that offers it').optional(),
      price: money('Asking price').optional(),
      currency: currency().optional(),
      listedAt: timestamp('When it was put up').optional(),
    }),
  }),
  defineEvent({
    type: SalesEvents.AUCTION_CREATED,
    description: 'An auction was planned; bids are not taken yet.',
    owner: 'quickauctionz',
    schema: z.looseObject({
      auctionId: id('Auction that was planned'),
      itemIds: itemIds('Items that go under the hammer'),
      startTime: timestamp('When bidding is to open'),
      endTime: timestamp('When bidding is to close').optional(),
      title: text('Title of the auction').optional(),
      startingPrice: money('Lowest first bid').optional(),
      reservePrice: money('Price below which nothing is sold').optional(),
      currency: currency().optional(),
    }),
  }),
  defineEvent({
    type: SalesEvents.AUCTION_STARTED,
    description: 'An auction opened for bids.',
    owner: 'quickauctionz',
    schema: z.looseObject({
      auctionId: id('Auction that opened'),
      startedAt: timestamp('When it opened').optional(),
      endTime: timestamp('When it is to close').optional(),
      itemIds: itemIds('Items that go under the hammer').optional(),
    }),
  }),
  defineEvent({
    type: SalesEvents.BID_PLACED,
    description: 'A bid was accepted as valid.',
    owner: 'quickbidz',
    schema: z.looseObject({
      bidId: id('Bid that was placed'),
      auctionId: id('Auction that it was placed in'),
      amount: money('Amount of the bid'),
      bidderId: id('Person who bids'),
      currency: currency().optional(),
      itemId: id('Item that it is for, when the auction sells several').optional(),
      qlid: qlid().optional(),
      placedAt: timestamp('When it was placed').optional(),
    }),
  }),
  defineEvent({
    type: SalesEvents.BID_WON,
    description: 'An auction closed and this bid won it.',
    owner: 'quickbidz',
    schema: z.looseObject({
      bidId: id('Bid that won'),
      auctionId: id('Auction that it won'),
      winningAmount: money('Amount that the winner owes'),
      currency: currency().optional(),
      bidderId: id('Person who won').optional(),
      itemId: id('Item that was won, when the auction sells several').optional(),
      qlid: qlid().optional(),
      wonAt: timestamp('When the auction closed').optional(),
    }),
  }),
  defineEvent({
    type: SalesEvents.ITEM_SOLD,
    description: 'An item was sold, whether listed or auctioned.',
    owner: 'quicklistz',
    schema: z.looseObject({
      itemId: id('Item that was sold'),
      qlid: qlid(),
      orderId: id('Order that it is part of'),
      salePrice: money('Price that was agreed'),
      currency: currency().optional(),
      buyerId: id('Person who bought it').optional(),
      channel: text('Channel that sold it').optional(),
      listingId: id('Listing that sold it').optional(),
      auctionId: id('Auction that sold it').optional(),
      soldAt: timestamp('When it was sold').optional(),
    }),
  }),
] as const;
