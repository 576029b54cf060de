import Primitives

/// One version of a food order, as the order system sends it. Amounts are whole RUB.
package struct Order: Sendable {
    package struct Line: Sendable {
        package let item: ReferenceGenerator.MenuItem
        package let quantity: Int
    }

    package struct Status: Sendable, Equatable {
        package let name: String
        package let at: Int64
    }

    package let number: Int
    package let sentAt: Int64
    package let restaurant: String
    package let date: Int64
    package let user: String
    package let lines: [Line]
    package var reportedCost: Int
    /// At least one; the last is the final status.
    package let statuses: [Status]
    package let sender: Int

    package var cost: Int { lines.reduce(0) { $0 + $1.item.price * $1.quantity } }

    package var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(700 + lines.count * 160)
        out.add("{\"object_id\":")
        out.add(number)
        out.add(",\"object_type\":\"order\",\"sent_dttm\":\"")
        out.addTime(sentAt, zone: "+00:00")
        out.add("\",\"payload\":{\"restaurant\":{\"id\":\"")
        out.add(restaurant)
        out.add("\"},\"date\":\"")
        out.addTime(date, zone: "+00:00")
        out.add("\",\"user\":{\"id\":\"")
        out.add(user)
        out.add("\"},\"order_items\":[")
        for (index, line) in lines.enumerated() {
            out.add(index == 0 ? "{\"id\":\"" : ",{\"id\":\"")
            out.add(line.item.id)
            out.add("\",\"name\":\"")
            out.add(line.item.name)
            out.add("\",\"price\":")
            out.add(line.item.price)
            out.add(",\"category\":\"")
            out.add(line.item.category)
            out.add("\",\"quantity\":")
            out.add(line.quantity)
            out.add("}")
        }
        out.add("],\"bonus_payment\":0,\"cost\":")
        out.add(reportedCost)
        out.add(",\"payment\":")
        out.add(reportedCost)
        out.add(",\"bonus_grant\":0,\"statuses\":[")
        for (index, status) in statuses.enumerated() {
            out.add(index == 0 ? "{\"status\":\"" : ",{\"status\":\"")
            out.add(status.name)
            out.add("\",\"dttm\":\"")
            out.addTime(status.at, zone: "+00:00")
            out.add("\"}")
        }
        let last = statuses[statuses.count - 1]
        out.add("],\"final_status\":\"")
        out.add(last.name)
        out.add("\",\"update_ts\":\"")
        out.addTime(last.at, zone: "+00:00")
        out.add("\"}}")
        return out
    }
}

/// Orders of ten restaurants: order `index` is a function of seed, start and index alone.
package struct OrderGenerator: Sendable {
    private static let minute: Int64 = 60_000_000
    private static let steps: [(name: String, after: Int64)] = [
        ("OPEN", 5), ("COOKING", 20), ("DELIVERING", 40), ("CLOSED", 60),
    ]
    /// A closed order can be cancelled this many minutes after its time.
    private static let cancelledAfter: Int64 = 65

    package let reference: ReferenceGenerator
    private let seeds: EventSeeds
    private let numbers: ObjectNumbers
    private let senders: Senders

    package init(seed: UInt64, start: Int64, senders: Senders) {
        reference = ReferenceGenerator(seed: seed, start: start)
        seeds = EventSeeds(seed: seed, purpose: "orders", start: start)
        numbers = ObjectNumbers(seed: seed)
        self.senders = senders
    }

    /// The versions of one order, oldest first; the last says what is known at `clock`.
    ///
    /// - Parameter versioned: Also gives an earlier version, and cancels every fourth such order that was closed.
    package func order(at index: Int, clock: Int64, versioned: Bool) -> [Order] {
        var random = seeds.draws(at: index)
        let place = random.below(ReferenceGenerator.restaurants)
        let restaurant = reference.restaurants[place]
        let user = random.one(of: reference.users)
        let sender = senders.sender(ofPlace: place, &random)
        let now = clock + senders.clockOffset(of: sender)
        // An earlier version exists once the order was opened and cooked.
        let age = Int64(random.within(Int((versioned ? 20 : 10) * Self.minute)...Int(120 * Self.minute)))
        let date = now - age
        let items = random.distinct(min(random.within(1...3), restaurant.menu.count), below: restaurant.menu.count)
        let lines = items.map { Order.Line(item: restaurant.menu[$0], quantity: random.within(1...5)) }
        let reached = Self.steps.filter { $0.after * Self.minute <= age }.map {
            Order.Status(name: $0.name, at: date + $0.after * Self.minute)
        }
        var histories = [reached]
        let earlier = 1 + random.below(max(1, reached.count - 1))
        let takesBack = random.below(4) == 0
        if versioned {
            histories.insert(Array(reached.prefix(earlier)), at: 0)
            if takesBack, age >= Self.cancelledAfter * Self.minute {
                let at = date + Self.cancelledAfter * Self.minute
                histories.append(reached + [Order.Status(name: "CANCELLED", at: at)])
            }
        }
        let cost = lines.reduce(0) { $0 + $1.item.price * $1.quantity }
        return histories.enumerated().map { version, statuses in
            let isLast = version == histories.count - 1
            let sentAt = isLast ? now : min(now, statuses[statuses.count - 1].at + 2_000_000)
            return Order(
                number: numbers.number(at: index),
                sentAt: sentAt,
                restaurant: restaurant.id,
                date: date,
                user: user.id,
                lines: lines,
                reportedCost: cost,
                statuses: statuses,
                sender: sender
            )
        }
    }
}
